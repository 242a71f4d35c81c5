import { type CallAccounts, pause } from '../calls/accountCall.ts';
import { accountHttp } from '../calls/accountHttp.ts';
import type { Clock } from '../core/clock.ts';
import { type Http, raceAbort } from '../http/client.ts';
import { HttpFailure } from '../http/errors.ts';
import { type CallOptions, callTool, mcpRequest, type ToolResult } from '../notion/mcpClient.ts';
import { onlyReads } from '../notion/readingTools.ts';
import { accessTo, readToolAccess } from '../notion/toolAccess.ts';
import { isUnknownTool, toolErrorOf } from '../notion/toolErrors.ts';
import { displayReason, transportFailure } from '../oauth/errorResponse.ts';
import { Failure } from '../oauth/errors.ts';
import { ClientFailure, type ClientProblem, isRefusal, problemOfFailure } from './problem.ts';

export interface ToolCallsParts {
  accounts: CallAccounts;
  http: Http;
  clock: Clock;
  /** The MCP servers that speak older revisions only, for all calls of this window. */
  olderOrigins: Set<string>;
  /** Called with each failure of a request, from which the account may learn that its token lacks scopes. */
  onFailure: (grantId: string, failure: Failure) => void;
}

/** The account that is used, and how long the other extension waits. */
export interface Bound {
  grantId: string;
  serverUrl: URL;
  /** Aborts when the other extension cancels. */
  cancelled: AbortSignal;
  /** In milliseconds; it includes the waits for Notion's limits. */
  timeoutMs: number;
}

/** A tool as the server lists it. */
export type ListedTool = Record<string, unknown> & { name: string };

/** Pages with much content are large. */
const maxBytes = 16 * 1_048_576;
/** The pause after a limit that does not say how long it lasts. */
const usualPauseMs = 5_000;
const longestList = 100;

/** The requests to Notion's tools that serve one request of another extension. */
export class ToolCalls {
  readonly #parts: ToolCallsParts;
  readonly #bound: Bound;
  readonly #signal: AbortSignal;
  readonly #endMs: number;
  readonly #stopTimer: () => void;

  /** The time of `bound` begins now. The caller has to call `end`. */
  constructor(parts: ToolCallsParts, bound: Bound) {
    this.#parts = parts;
    this.#bound = bound;
    const time = new AbortController();
    this.#endMs = parts.clock.monotonicMs() + bound.timeoutMs;
    this.#stopTimer = parts.clock.after(bound.timeoutMs, () => time.abort());
    this.#signal = AbortSignal.any([bound.cancelled, time.signal]);
  }

  end(): void {
    this.#stopTimer();
  }

  /**
   * Calls a tool and returns its result, which is not an error. A limit is waited for if there is time. A call that only
   * reads is repeated once after a mistake of Notion's server; one that may have changed something never is.
   * @throws ClientFailure
   */
  async call(tool: string, args: Record<string, unknown>): Promise<ToolResult> {
    const isRead = onlyReads(tool);
    const { serverUrl } = this.#bound;
    return this.#send(isRead, async (http, options) => {
      const result = await callTool(http, serverUrl, tool, args, options).catch((error: unknown) => {
        throw unknownToolOf(error) ?? error;
      });
      const error = toolErrorOf(result);
      if (error !== undefined) {
        const { code, message, retryAfterMs } = error;
        const reason = displayReason(message, http.sent);
        throw new ToolProblem({ kind: 'tool', code, reason, ...(retryAfterMs !== undefined && { retryAfterMs }) });
      }
      return result;
    }).catch(async (error: unknown) => {
      throw await this.#explained(error, tool);
    });
  }

  /** All tools that the server lists. @throws ClientFailure */
  async list(): Promise<ListedTool[]> {
    const tools: ListedTool[] = [];
    let cursor: unknown;
    for (let pages = 0; pages < longestList; pages += 1) {
      const params = cursor === undefined ? {} : { cursor };
      const result = await this.#send(true, (http, options) =>
        mcpRequest(http, this.#bound.serverUrl, 'tools/list', params, options),
      );
      if (!Array.isArray(result.tools)) {
        throw new ClientFailure({ kind: 'unexpectedResult', missing: 'tools' });
      }
      tools.push(...result.tools.filter((tool): tool is ListedTool => typeof tool?.name === 'string'));
      cursor = result.nextCursor;
      if (typeof cursor !== 'string' || cursor === '') {
        break;
      }
    }
    return tools;
  }

  /** Waits. @throws ClientFailure if the other extension cancels or its time is over before the end */
  async pause(pauseMs: number): Promise<void> {
    await pause(this.#parts.clock, pauseMs, this.#signal).catch(() => {
      throw this.#ended();
    });
  }

  async #send<T>(isRead: boolean, send: Send<T>): Promise<T> {
    for (let repeats = 0; ; ) {
      const attempt = new Attempt(this.#parts.http);
      try {
        return await this.#attempt(attempt, send);
      } catch (error) {
        const isRefused = error instanceof ToolProblem && isRefusal(error.problem.code);
        const mayBeDone = !isRead && !isRefused && attempt.mayBeDone;
        const failure = this.#failureOf(error, mayBeDone);
        const { problem } = failure;
        const isLimit = failure.code === 'rateLimited' || (isRead && failure.retryAfterMs !== undefined);
        const waitMs = failure.retryAfterMs ?? usualPauseMs;
        if (isLimit && !mayBeDone && this.#parts.clock.monotonicMs() + waitMs < this.#endMs) {
          await this.pause(waitMs);
        } else if (isRead && problem.kind === 'tool' && problem.code === 'serverFault' && repeats === 0) {
          repeats += 1;
        } else {
          throw failure;
        }
      }
    }
  }

  #attempt<T>(attempt: Attempt, send: Send<T>): Promise<T> {
    const { accounts, clock, olderOrigins } = this.#parts;
    const limits = { deadlineMs: Math.max(1, this.#endMs - clock.monotonicMs()), maxBytes };
    const http = accountHttp({ accounts, clock }, this.#bound.grantId, attempt.http);
    // Raced, because a renewal does not react to the signal; no request begins after it.
    return raceAbort(this.#signal, () => send(http, { signal: this.#signal, olderOrigins, limits }));
  }

  #failureOf(error: unknown, mayBeDone: boolean): ClientFailure {
    if (this.#signal.aborted) {
      return this.#ended(mayBeDone);
    }
    if (error instanceof ClientFailure) {
      return error;
    }
    if (error instanceof ToolProblem) {
      return new ClientFailure(error.problem, { mayBeDone });
    }
    const failure = transportFailure(error, 'identity');
    this.#parts.onFailure(this.#bound.grantId, failure);
    const problem = problemOfFailure(failure, this.#bound.serverUrl.host);
    return new ClientFailure({ kind: 'call', problem }, { mayBeDone });
  }

  #ended(mayBeDone = false): ClientFailure {
    const { cancelled, serverUrl } = this.#bound;
    const problem: ClientProblem = cancelled.aborted
      ? { kind: 'cancelled' }
      : { kind: 'timeOver', host: serverUrl.host };
    return new ClientFailure(problem, { mayBeDone });
  }

  /** A tool that is unknown or refuses may be one that the workspace's plan lacks; Notion says where to get it. */
  async #explained(error: unknown, tool: string): Promise<unknown> {
    const problem = error instanceof ClientFailure ? error.problem : undefined;
    if (problem?.kind !== 'tool' || !['unknownTool', 'restricted_resource', 'unknown'].includes(problem.code)) {
      return error;
    }
    const access = await this.#attempt(new Attempt(this.#parts.http), (http, options) =>
      readToolAccess(http, this.#bound.serverUrl, options),
    ).catch(() => new Map());
    const { status, link } = accessTo(access, tool) ?? {};
    const isMissing = problem.code === 'unknownTool' || (status !== undefined && !status.startsWith('available'));
    return isMissing ? new ClientFailure({ kind: 'toolUnavailable', tool, ...(link && { link }) }) : error;
  }
}

type Send<T> = (http: ReturnType<typeof accountHttp>, options: CallOptions) => Promise<T>;

/** A request to the MCP server, and whether the server may have acted on it. */
class Attempt {
  readonly http: Http;
  mayBeDone = false;

  constructor(http: Http) {
    this.http = async (request) => {
      this.mayBeDone = true;
      try {
        const response = await http(request);
        // A status 4xx refuses the request; 408 says nothing about it.
        this.mayBeDone = response.status < 400 || response.status >= 500 || response.status === 408;
        return response;
      } catch (error) {
        this.mayBeDone = !(error instanceof HttpFailure) || error.wasSent;
        throw error;
      }
    };
  }
}

/** A tool's own error, before it is known whether the tool has changed something. */
class ToolProblem extends Error {
  readonly problem: Extract<ClientProblem, { kind: 'tool' }>;

  constructor(problem: ToolProblem['problem']) {
    super(problem.kind);
    this.problem = problem;
  }
}

/** The error of JSON-RPC's "Invalid params", with which servers also report an unknown tool. */
function unknownToolOf(error: unknown): ToolProblem | undefined {
  if (!(error instanceof Failure && error.details.code === 'invalid_params')) {
    return undefined;
  }
  const reason = error.details.serverReason;
  const code = isUnknownTool(reason ?? '') ? 'unknownTool' : 'invalidParams';
  return reason === undefined ? undefined : new ToolProblem({ kind: 'tool', code, reason });
}
