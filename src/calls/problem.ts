import { HttpFailure, type HttpFailureKind } from '../http/errors.ts';
import { retryAfterMs } from '../http/retryAfter.ts';
import { headerOf, type UpstreamResponse } from '../http/transport.ts';
import type { RpcError } from '../mcp/jsonRpc.ts';
import { parseChallenge } from '../oauth/challenge.ts';
import { Failure } from '../oauth/errors.ts';

/** Why a caller gets an error of ours instead of the MCP server's answer. */
export type ProblemKind =
  /** The account's grant is over; only its person can help. */
  | 'signInNeeded'
  /** The account was signed out. */
  | 'signedOut'
  /** The token could not be renewed, for a reason that is not the network's; `failure` says which. */
  | 'renewalFailed'
  /** The server rejects a token that was just renewed. */
  | 'tokenRejected'
  /** The server wants scopes that the grant does not have. */
  | 'insufficientScope'
  /** Nothing came back, or it broke off. */
  | 'unreachable'
  | 'rateLimited'
  /** 5xx and the like: the same may work later. */
  | 'serverError'
  /** The server understood and said no. */
  | 'serverRejected'
  /** An answer that is not MCP's: HTML, a redirect, nothing. */
  | 'invalidResponse'
  /** The request is larger than the gateway carries. */
  | 'tooLarge'
  /** A mistake of ours. */
  | 'internal';

export interface Problem {
  kind: ProblemKind;
  /** The MCP server's host. */
  host: string;
  /** The HTTP status, where there was an answer. */
  status?: number;
  /** How long the server asks to wait. */
  waitSeconds?: number;
  /** The scopes that are missing, where the server named them. */
  scopes?: string[];
  /** Why the account's token cannot be used. */
  failure?: Failure;
  /** Why the server cannot be reached. */
  transport?: HttpFailureKind;
}

/** The sentence that a caller, and so perhaps a person in a chat, reads. */
export type Sentence = (problem: Problem) => string;

/**
 * JSON-RPC leaves -32000 to -32099 to servers; the lowest of them are taken by the MCP SDKs (connection closed, time-out)
 * and by MCP itself.
 */
const codes: Readonly<Record<ProblemKind, number>> = {
  signInNeeded: -32080,
  signedOut: -32081,
  renewalFailed: -32082,
  tokenRejected: -32083,
  insufficientScope: -32084,
  unreachable: -32085,
  rateLimited: -32086,
  serverError: -32087,
  serverRejected: -32088,
  invalidResponse: -32089,
  tooLarge: -32090,
  internal: -32603,
};

/** The error that tells a caller of a problem; programs read `data.kind`. */
export function errorOf(problem: Problem, sentence: Sentence): RpcError {
  const { kind, status, waitSeconds, scopes } = problem;
  return {
    code: codes[kind],
    message: sentence(problem),
    data: {
      kind,
      ...(status !== undefined && { status }),
      ...(waitSeconds !== undefined && { retryAfterSeconds: waitSeconds }),
      ...(scopes !== undefined && { scopes }),
    },
  };
}

/** What an answer's status means that is not MCP's own. */
export function problemOf(answer: UpstreamResponse, host: string): Problem {
  const { status } = answer;
  const problem = { host, status };
  if (status < 400) {
    return { ...problem, kind: 'invalidResponse' };
  }
  if (status === 401) {
    return { ...problem, kind: 'tokenRejected' };
  }
  if (status === 429) {
    const pauseMs = pauseAskedFor(answer);
    return { ...problem, kind: 'rateLimited', ...waiting(pauseMs) };
  }
  if (status === 403) {
    const challenge = parseChallenge(headerOf(answer, 'www-authenticate'));
    if (challenge?.error === 'insufficient_scope') {
      return { ...problem, kind: 'insufficientScope', ...(challenge.scopes && { scopes: challenge.scopes }) };
    }
  }
  return { ...problem, kind: status >= 500 || status === 408 || status === 425 ? 'serverError' : 'serverRejected' };
}

/** What a failure on the way means. @throws HttpFailure of kind `cancelled`, which nobody waits to hear of */
export function problemIn(error: unknown, host: string): Problem {
  if (error instanceof HttpFailure) {
    if (error.kind === 'cancelled') {
      throw error;
    }
    return { kind: 'unreachable', host, transport: error.kind };
  }
  if (!(error instanceof Failure)) {
    return { kind: 'internal', host };
  }
  switch (error.kind) {
    case 'invalidGrant':
    case 'invalidClient':
      return { kind: 'signInNeeded', host, failure: error };
    case 'transient':
      return { kind: 'unreachable', host, failure: error, ...waiting(error.details.retryAfterMs) };
    default:
      return { kind: 'renewalFailed', host, failure: error };
  }
}

function waiting(pauseMs: number | undefined): { waitSeconds?: number } {
  return pauseMs === undefined ? {} : { waitSeconds: Math.ceil(pauseMs / 1000) };
}

/** How long a response asks to wait (`Retry-After`), in milliseconds. */
export function pauseAskedFor(answer: UpstreamResponse): number | undefined {
  const names = ['retry-after', 'date'] as const;
  return retryAfterMs(new Headers(names.map((name) => [name, headerOf(answer, name) ?? ''])));
}
