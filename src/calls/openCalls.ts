import type { Clock } from '../core/clock.ts';
import { HttpFailure, type HttpFailureKind } from '../http/errors.ts';
import { lookMs, type NetworkWatch } from '../http/networkWatch.ts';
import type { TransportRequest } from '../http/transport.ts';
import { type Problem, problemOfError } from './problem.ts';
import { isRepeatable } from './repeat.ts';
import { type TimeLimit, timeLimitOf } from './timeLimits.ts';

export interface OpenCallsParts {
  clock: Clock;
  network: NetworkWatch;
}

/** What a call is for. */
export interface CallOptions {
  grantId: string;
  agent: string;
  /** The MCP server's host. */
  host: string;
  /** Whether the server is on this machine, so that the network does not matter. */
  isLocal: boolean;
  /** The method of the HTTP request. */
  method: TransportRequest['method'];
  /** The methods of the messages in its body. */
  messages: ReadonlySet<string>;
}

/**
 * The calls that are under way. Each ends in time: a connection that a change of the network has cut off is silent for
 * ever, as nothing tells its two ends.
 */
export class OpenCalls {
  readonly #parts: OpenCallsParts;
  readonly #calls = new Set<OpenCall>();
  #stopTimer: (() => void) | undefined;

  constructor(parts: OpenCallsParts) {
    this.#parts = parts;
    parts.network.onChange(({ isInterrupted }) => {
      if (isInterrupted) {
        this.endEach((call) => (call.isLocal ? undefined : failureOf(call, 'interrupted')));
      }
    });
  }

  /** Begins a call, which must be closed. */
  open(options: CallOptions): OpenCall {
    if (!options.isLocal) {
      // Whatever changed before does not concern the new call.
      this.#look();
    }
    const call = new OpenCall(options, this.#parts.clock, () => {
      this.#calls.delete(call);
      if ([...this.#calls].every(({ isLocal }) => isLocal)) {
        this.#stopTimer?.();
      }
    });
    this.#calls.add(call);
    return call;
  }

  /** Ends each call for which `problemOf` finds a problem. */
  endEach(problemOf: (call: OpenCall) => Problem | undefined): void {
    for (const call of this.#calls) {
      const problem = problemOf(call);
      if (problem !== undefined) {
        call.end(problem);
      }
    }
  }

  /** Looks at the network now, and again and again while a call to another machine is open. */
  #look(): void {
    const { clock, network } = this.#parts;
    network.look();
    this.#stopTimer?.();
    this.#stopTimer = clock.after(lookMs, () => this.#look());
  }
}

/** A call of an account that is under way, from the caller's request to the end of its response. */
export class OpenCall {
  readonly grantId: string;
  readonly agent: string;
  readonly host: string;
  readonly isLocal: boolean;
  /** Whether its request can be sent again although it may have arrived. */
  readonly isRepeatable: boolean;
  /** Set while the request, or a part of it, may have reached the server. */
  mayHaveArrived = false;
  readonly #limit: TimeLimit | undefined;
  readonly #clock: Clock;
  readonly #closed: () => void;
  readonly #controller = new AbortController();
  #problem: Problem | undefined;
  #lastSignMs: number;
  #stopTimer: (() => void) | undefined;

  constructor({ grantId, agent, host, isLocal, method, messages }: CallOptions, clock: Clock, closed: () => void) {
    this.grantId = grantId;
    this.agent = agent;
    this.host = host;
    this.isLocal = isLocal;
    this.isRepeatable = isRepeatable(method, messages);
    this.#limit = timeLimitOf(method, messages);
    this.#clock = clock;
    this.#closed = closed;
    this.#lastSignMs = clock.monotonicMs();
    this.#watch(this.#limit?.limitMs);
  }

  /** Aborted when the call ends before its response does. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Notes that the server sent something. */
  noteSign(): void {
    this.#lastSignMs = this.#clock.monotonicMs();
  }

  /** Ends the call, which then has this problem. */
  end(problem: Problem): void {
    this.#problem ??= problem;
    this.#controller.abort(new HttpFailure('cancelled', this.host));
  }

  /** Ends the call because its caller is gone. */
  cancel(): void {
    this.#controller.abort(new HttpFailure('cancelled', this.host));
  }

  /** Releases what the call holds. */
  close(): void {
    this.#stopTimer?.();
    this.#closed();
  }

  /**
   * The problem of a call that failed with `error`.
   * @throws HttpFailure of kind `cancelled` if the caller is gone
   */
  problemOf(error: unknown): Problem {
    const problem = this.#problem ?? problemOfError(error, this.host);
    const isUnknown = problem.kind === 'unreachable' && this.mayHaveArrived && !this.isRepeatable;
    return isUnknown ? { ...problem, kind: 'outcomeUnknown' } : problem;
  }

  #watch(delayMs: number | undefined): void {
    if (delayMs === undefined) {
      return;
    }
    this.#stopTimer = this.#clock.after(delayMs, () => {
      const { limitMs = 0, of } = this.#limit ?? {};
      const leftMs = of === 'silence' ? this.#lastSignMs + limitMs - this.#clock.monotonicMs() : 0;
      if (leftMs > 0) {
        this.#watch(leftMs);
      } else {
        this.end(failureOf(this, 'timeout'));
      }
    });
  }
}

function failureOf({ host }: OpenCall, kind: HttpFailureKind): Problem {
  return problemOfError(new HttpFailure(kind, host), host);
}
