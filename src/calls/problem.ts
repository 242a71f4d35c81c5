import type { DisplayText } from '../core/displayText.ts';
import { HttpFailure } from '../http/errors.ts';
import { retryAfterMs } from '../http/retryAfter.ts';
import { headerOf, type TransportResponse } from '../http/transport.ts';
import type { RpcError } from '../mcp/jsonRpc.ts';
import { parseChallenge } from '../oauth/challenge.ts';
import { transportFailure } from '../oauth/errorResponse.ts';
import { Failure } from '../oauth/errors.ts';

/** Why a caller gets an error of our own instead of the MCP server's response. */
export type ProblemKind =
  /** The account's grant has ended; the user must sign in again. */
  | 'signInNeeded'
  /** The account was signed out. */
  | 'signedOut'
  /** The user has turned the offer of MCP servers off, or that of the account. */
  | 'notOffered'
  /** The user does not let this agent use the account. */
  | 'notAllowed'
  /** The user is being asked whether this agent may use the account. */
  | 'consentPending'
  /** The token could not be renewed for a reason other than the network. */
  | 'renewalFailed'
  /** The MCP server rejects a token that was just renewed. */
  | 'tokenRejected'
  /** The MCP server requires scopes that the grant lacks. */
  | 'insufficientScope'
  /** There was no response, or it broke off. */
  | 'unreachable'
  /** The response broke off, and the request must not be sent again, as it may have changed something. */
  | 'outcomeUnknown'
  | 'rateLimited'
  /** A status such as 5xx: the same request may succeed later. */
  | 'serverError'
  /** The MCP server understood the request and rejected it. */
  | 'serverRejected'
  /** The response is not valid MCP: HTML, a redirect, an empty body. */
  | 'invalidResponse'
  /** The request is larger than the gateway forwards. */
  | 'tooLarge'
  /** A bug in this extension. */
  | 'internal';

interface ProblemDetails {
  /** The MCP server's host. */
  host: string;
  /** The HTTP status, if there was a response. */
  status?: number;
  /** The pause that the server requested, in seconds. */
  waitSeconds?: number;
  /** The scopes that the server's challenge named. */
  scopes?: string[];
  /** The id of the agent that may not use the account. */
  agent?: string;
}

/** Why a caller gets an error, with the failure of the renewal or the request if there was one. */
export type Problem = ProblemDetails &
  ({ kind: KindWithFailure; failure: Failure } | { kind: Exclude<ProblemKind, KindWithFailure> });

type KindWithFailure = 'renewalFailed' | 'unreachable' | 'outcomeUnknown';

/** Describes a problem in a sentence for the caller, which may show it to the user in a chat. */
export type Sentence = (problem: Problem) => DisplayText;

/**
 * JSON-RPC reserves -32000 to -32099 for servers. The MCP SDKs (connection closed, time-out) and MCP itself use the
 * codes closest to -32000.
 */
const codes: Readonly<Record<ProblemKind, number>> = {
  signInNeeded: -32080,
  signedOut: -32081,
  notOffered: -32092,
  notAllowed: -32094,
  consentPending: -32095,
  renewalFailed: -32082,
  tokenRejected: -32083,
  insufficientScope: -32084,
  unreachable: -32085,
  outcomeUnknown: -32091,
  rateLimited: -32086,
  serverError: -32087,
  serverRejected: -32088,
  invalidResponse: -32089,
  tooLarge: -32090,
  internal: -32603,
};

/**
 * Returns the JSON-RPC error for a problem. Programs read `data.kind`, and where a renewal or a request failed
 * `data.reason`, its `FailureCode`: `certificate`, `proxy`, `timeout`, `unreachable`, …
 */
export function errorOf(problem: Problem, sentence: Sentence): RpcError {
  const { kind, status, waitSeconds, scopes } = problem;
  return {
    code: codes[kind],
    message: sentence(problem),
    data: {
      kind,
      ...('failure' in problem && { reason: problem.failure.details.code }),
      ...(status !== undefined && { status }),
      ...(waitSeconds !== undefined && { retryAfterSeconds: waitSeconds }),
      ...(scopes !== undefined && { scopes }),
    },
  };
}

/** Classifies a response from the MCP server that cannot be passed on as an MCP response. */
export function problemOf(response: TransportResponse, host: string): Problem {
  const { status } = response;
  const problem = { host, status };
  if (status < 400) {
    return { ...problem, kind: 'invalidResponse' };
  }
  const challenge =
    status === 401 || status === 403 ? parseChallenge(headerOf(response, 'www-authenticate')) : undefined;
  const scopes = challenge?.scopes && { scopes: challenge.scopes };
  if (status === 401) {
    return { ...problem, kind: 'tokenRejected', ...scopes };
  }
  if (status === 429) {
    const pauseMs = requestedPauseMs(response);
    return { ...problem, kind: 'rateLimited', ...waiting(pauseMs) };
  }
  if (challenge?.error === 'insufficient_scope') {
    return { ...problem, kind: 'insufficientScope', ...scopes };
  }
  return { ...problem, kind: status >= 500 || status === 408 || status === 425 ? 'serverError' : 'serverRejected' };
}

/** Classifies an error of a renewal or request. @throws HttpFailure of kind `cancelled`, as then the caller is gone */
export function problemOfError(error: unknown, host: string): Problem {
  if (error instanceof HttpFailure) {
    if (error.kind === 'cancelled') {
      throw error;
    }
    // A transport returns a redirect as a response, unless its host hides it.
    return error.kind === 'redirected'
      ? { kind: 'invalidResponse', host }
      : { kind: 'unreachable', host, failure: transportFailure(error, 'identity') };
  }
  if (!(error instanceof Failure)) {
    return { kind: 'internal', host };
  }
  switch (error.kind) {
    case 'invalidGrant':
    case 'invalidClient':
      return { kind: 'signInNeeded', host };
    case 'transient':
      return { kind: 'unreachable', host, failure: error, ...waiting(error.details.retryAfterMs) };
    default:
      return { kind: 'renewalFailed', host, failure: error };
  }
}

function waiting(pauseMs: number | undefined): { waitSeconds?: number } {
  return pauseMs === undefined ? {} : { waitSeconds: Math.ceil(pauseMs / 1000) };
}

/** Returns the pause that a response requests (`Retry-After`), in milliseconds. */
export function requestedPauseMs(response: TransportResponse): number | undefined {
  const names = ['retry-after', 'date'] as const;
  return retryAfterMs(new Headers(names.map((name) => [name, headerOf(response, name) ?? ''])));
}
