import { type Problem as CallProblem, problemOfError } from '../calls/problem.ts';
import type { DisplayText } from '../core/displayText.ts';
import type { ToolErrorCode } from '../notion/toolErrors.ts';
import type { Failure } from '../oauth/errors.ts';

/**
 * What other extensions switch on. Codes are only ever added; `src/notionClient.ts` describes them and lists the same
 * ones.
 */
export type NotionErrorCode =
  | 'needsSignIn'
  | 'accessDenied'
  | 'offline'
  | 'rateLimited'
  | 'notFound'
  | 'validation'
  | 'toolUnavailable'
  | 'serverFault'
  | 'outcomeUnknown'
  | 'cancelled';

/** Why a request of another extension failed. */
export type ClientProblem =
  /** There was no response of the MCP server, or it was an error of HTTP or MCP. */
  | { kind: 'call'; problem: CallProblem }
  /** The tool responded with an error. `reason` is Notion's text, which may be empty. */
  | { kind: 'tool'; code: ToolErrorCode; reason: DisplayText; retryAfterMs?: number }
  /** The workspace does not have this tool; `link` leads to where it can get it. */
  | { kind: 'toolUnavailable'; tool: string; link?: DisplayText }
  /** The request presented a token that is none of the accounts'. It is not said whether it was one. */
  | { kind: 'unknownToken' }
  | { kind: 'cancelled' }
  /** The time that the other extension gave is over. */
  | { kind: 'timeOver'; host: string }
  /** It cannot be found out how work in the background ended. */
  | { kind: 'taskLost' }
  /** The response lacks a member, or it has another type. */
  | { kind: 'unexpectedResult'; missing: string }
  /** The id belongs to something other than a page, such as a database. */
  | { kind: 'notAPage' }
  /** The other extension passed an argument that cannot be used. */
  | { kind: 'badArgument'; name: string };

/** Ends a request of another extension. */
export class ClientFailure extends Error {
  override readonly name = 'ClientFailure';
  readonly problem: ClientProblem;
  readonly code: NotionErrorCode;

  /** `mayBeDone`: the tool changes something, and may have done so. */
  constructor(problem: ClientProblem, { mayBeDone = false } = {}) {
    super(problem.kind);
    this.problem = problem;
    const code = codeOf(problem);
    this.code = mayBeDone && (code === 'offline' || code === 'serverFault') ? 'outcomeUnknown' : code;
  }

  /** How long Notion asked to wait, in milliseconds. */
  get retryAfterMs(): number | undefined {
    const { problem } = this;
    if (problem.kind === 'tool') {
      return problem.retryAfterMs;
    }
    const seconds = problem.kind === 'call' ? problem.problem.waitSeconds : undefined;
    return seconds && seconds * 1_000;
  }
}

/** Whether an error of a tool says that the call has changed nothing. */
export function isRefusal(code: ToolErrorCode): boolean {
  return code === 'rate_limited' || code === 'conflict_error' || !vagueCodes.has(codeOfTool[code]);
}

const vagueCodes: ReadonlySet<NotionErrorCode> = new Set(['rateLimited', 'serverFault']);

/** The problem of a request that failed. */
export function problemOfFailure(failure: Failure, host: string): CallProblem {
  const { step, code, status, retryAfterMs, scopes } = failure.details;
  if (step !== 'identity') {
    return problemOfError(failure, host);
  }
  if (code === 'invalid_token') {
    return { kind: 'tokenRejected', host };
  }
  if (code === 'insufficient_scope') {
    return { kind: 'insufficientScope', host, ...(scopes && { scopes: [...scopes] }) };
  }
  const response = {
    host,
    ...(status !== undefined && { status }),
    ...(retryAfterMs !== undefined && { waitSeconds: Math.ceil(retryAfterMs / 1_000) }),
  };
  if (status === 429 || status === overloadStatus) {
    return { ...response, kind: 'rateLimited' };
  }
  switch (failure.kind) {
    case 'transient':
      return status === undefined || code === 'html'
        ? { ...response, kind: 'unreachable', failure }
        : { ...response, kind: 'serverError' };
    case 'serverRejected':
      return { ...response, kind: 'serverRejected' };
    default:
      return { ...response, kind: 'invalidResponse' };
  }
}

/** Notion's own status for an overload (developers.notion.com/reference/request-limits). */
const overloadStatus = 529;

function codeOf(problem: ClientProblem): NotionErrorCode {
  switch (problem.kind) {
    case 'call':
      return codeOfCall(problem.problem);
    case 'tool':
      return codeOfTool[problem.code];
    case 'unknownToken':
      return 'needsSignIn';
    case 'timeOver':
      return 'offline';
    case 'taskLost':
      return 'outcomeUnknown';
    case 'unexpectedResult':
      return 'serverFault';
    case 'notAPage':
    case 'badArgument':
      return 'validation';
    default:
      return problem.kind;
  }
}

function codeOfCall(problem: CallProblem): NotionErrorCode {
  switch (problem.kind) {
    case 'signInNeeded':
    case 'signedOut':
      return 'needsSignIn';
    case 'renewalFailed':
      // The user can reconnect the account; see `messages/callProblem.ts`.
      return problem.failure.kind === 'serverRejected' ? 'needsSignIn' : 'serverFault';
    case 'tokenRejected':
    case 'insufficientScope':
    case 'notOffered':
      return 'accessDenied';
    case 'unreachable':
      return 'offline';
    case 'tooLarge':
      return 'validation';
    case 'rateLimited':
    case 'outcomeUnknown':
      return problem.kind;
    case 'serverRejected':
      return problem.status === 403 ? 'accessDenied' : 'serverFault';
    default:
      return 'serverFault';
  }
}

const codeOfTool: Readonly<Record<ToolErrorCode, NotionErrorCode>> = {
  rate_limited: 'rateLimited',
  service_overload: 'rateLimited',
  conflict_error: 'serverFault',
  internal_server_error: 'serverFault',
  service_unavailable: 'serverFault',
  database_connection_unavailable: 'serverFault',
  gateway_timeout: 'serverFault',
  unauthorized: 'accessDenied',
  restricted_resource: 'accessDenied',
  object_not_found: 'notFound',
  validation_error: 'validation',
  invalid_json: 'validation',
  invalid_request: 'validation',
  invalid_request_url: 'validation',
  unknownTool: 'toolUnavailable',
  invalidParams: 'validation',
  serverFault: 'serverFault',
  unknown: 'serverFault',
};
