import type { DisplayText } from '../core/displayText.ts';
import { errorInfo } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { withLogging } from '../http/client.ts';
import { objectIn } from './asyncTasks.ts';
import { type Arguments, object, pageTools, string } from './pageTools.ts';
import { ClientFailure, type ClientProblem, type NotionErrorCode } from './problem.ts';
import { ToolCalls, type ToolCallsParts } from './toolCalls.ts';

export interface ClientParts extends ToolCallsParts {
  find(grantId: string): Grant | undefined;
  /** The id of the grant that a token belongs to; see `TokenOwners`. */
  ownerOf(accessToken: string): Promise<string | undefined>;
  /** Tells the user of the other extension why a request failed. */
  sentence(failure: ClientFailure): DisplayText;
  randomness: Randomness;
  log: Log;
}

/**
 * What a command resolves to. An error is a value, because the editor keeps little of one that crosses extension hosts.
 * Members are only ever added, as other extensions contain copies of `src/notionClient.ts`.
 */
export type ClientResponse =
  | { ok: unknown }
  | { error: { code: NotionErrorCode; message: DisplayText; retryAfterMs?: number; link?: DisplayText } };

/** How long another extension waits if it does not say. */
const usualTimeoutMs = 60_000;
const longestTimeoutMs = 30 * 60_000;

type Operation = (calls: ToolCalls, args: Arguments) => Promise<unknown>;

/** Serves the requests that other extensions make by commands. Of what they pass, nothing is known. */
export class NotionClient {
  readonly #parts: ClientParts;
  /** By the id that the other extension chose, to be cancelled. */
  readonly #running = new Map<string, AbortController>();

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /** `{ accessToken, callId?, timeoutMs?, name, arguments? }`. Never rejects. */
  callTool(request: unknown): Promise<ClientResponse> {
    return this.#respond(request, async (calls, { name, arguments: args = {} }) => {
      const result = await calls.call(string('name', name), object('arguments', args));
      const json = objectIn(result);
      return { text: result.text, content: result.content, ...(json && { json }) };
    });
  }

  /** `{ accessToken, callId?, timeoutMs? }`. Never rejects. */
  listTools(request: unknown): Promise<ClientResponse> {
    return this.#respond(request, (calls) => calls.list());
  }

  /** `{ accessToken, callId?, timeoutMs?, operation, arguments? }`. Never rejects. */
  pages(request: unknown): Promise<ClientResponse> {
    return this.#respond(request, async (calls, { operation, arguments: args = {} }) => {
      const run = new Map<unknown, Operation>(Object.entries(pageTools)).get(operation);
      if (run === undefined) {
        throw new ClientFailure({ kind: 'badArgument', name: 'operation' });
      }
      return run(calls, object('arguments', args));
    });
  }

  /** Cancels the request with this `callId`, if it is still running. */
  cancel(callId: unknown): void {
    this.#running.get(String(callId))?.abort();
  }

  async #respond(request: unknown, operation: Operation): Promise<ClientResponse> {
    const { clock } = this.#parts;
    const log = this.#parts.log.operation('call', this.#parts.randomness);
    const startMs = clock.monotonicMs();
    const tookMs = (): number => Math.round(clock.monotonicMs() - startMs);
    try {
      const ok = await this.#run(object('request', request), operation, log);
      log.debug('A request of another extension succeeded.', { ms: tookMs() });
      return { ok };
    } catch (error) {
      if (!(error instanceof ClientFailure)) {
        log.error('A request of another extension failed unexpectedly.', errorInfo(error));
      }
      const failure = error instanceof ClientFailure ? error : new ClientFailure(internalProblem);
      const { code, problem, retryAfterMs } = failure;
      log.info('A request of another extension failed.', { code, problem: problem.kind, ms: tookMs() });
      const link = problem.kind === 'toolUnavailable' ? problem.link : undefined;
      return {
        error: {
          code,
          message: this.#parts.sentence(failure),
          ...(retryAfterMs !== undefined && { retryAfterMs }),
          ...(link !== undefined && { link }),
        },
      };
    }
  }

  async #run(request: Arguments, operation: Operation, log: Log): Promise<unknown> {
    const { accessToken, callId, timeoutMs } = request;
    const cancellation = new AbortController();
    const key = typeof callId === 'string' && !this.#running.has(callId) ? callId : undefined;
    if (key !== undefined) {
      this.#running.set(key, cancellation);
    }
    try {
      const grant = await this.#grantOf(accessToken);
      const calls = new ToolCalls(
        { ...this.#parts, http: withLogging(this.#parts.http, log, this.#parts.clock) },
        {
          grantId: grant.id,
          serverUrl: new URL(grant.serverUrl),
          cancelled: cancellation.signal,
          timeoutMs:
            typeof timeoutMs === 'number' && timeoutMs > 0 ? Math.min(timeoutMs, longestTimeoutMs) : usualTimeoutMs,
        },
      );
      try {
        return await operation(calls, request);
      } finally {
        calls.end();
      }
    } finally {
      if (key !== undefined) {
        this.#running.delete(key);
      }
    }
  }

  async #grantOf(accessToken: unknown): Promise<Grant> {
    const id = typeof accessToken === 'string' ? await this.#parts.ownerOf(accessToken) : undefined;
    const grant = id === undefined ? undefined : this.#parts.find(id);
    if (grant === undefined) {
      throw new ClientFailure({ kind: 'unknownToken' });
    }
    return grant;
  }
}

const internalProblem: ClientProblem = { kind: 'call', problem: { kind: 'internal', host: '' } };
