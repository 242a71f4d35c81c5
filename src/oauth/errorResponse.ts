import { type DisplayText, displayText } from '../core/displayText.ts';
import { jsonObject } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';
import { HttpFailure, isNetworkFailure } from '../http/errors.ts';
import { retryAfterMs } from '../http/retryAfter.ts';
import { errorCode, Failure, type FailureCode, type FailureDetails, type FailureStep } from './errors.ts';
import { redactSecrets } from './redaction.ts';

/**
 * Converts the error of a failed request into a `Failure`. An error that is neither an `HttpFailure` nor a `Failure` is
 * a bug and is rethrown.
 */
export function transportFailure(error: unknown, step: FailureStep): Failure {
  if (error instanceof Failure) {
    return error;
  }
  if (!(error instanceof HttpFailure)) {
    throw error;
  }
  const details = { step, host: error.host, wasSent: error.wasSent, cause: error };
  if (isNetworkFailure(error.kind)) {
    return new Failure('transient', { ...details, code: error.kind });
  }
  switch (error.kind) {
    case 'tooLarge':
      return new Failure('invalidResponse', { ...details, code: 'too_large' });
    // Following a redirected POST would leak the code or refresh token to the redirect's target
    // (librefang/librefang#6315).
    case 'redirected':
    case 'insecure':
      return new Failure('unsafe', { ...details, code: error.kind });
    case 'privateAddress':
      return new Failure('unsafe', { ...details, code: 'private_address' });
    case 'cancelled':
      return new Failure('cancelled', { ...details, code: 'cancelled' });
  }
}

/** Where a response came from. */
export interface ResponseContext {
  step: FailureStep;
  host: string;
  /** The secrets in the request, which are redacted if the server quotes them. */
  sent?: readonly Secret[];
}

/**
 * Classifies an error response; returns undefined if the status and body indicate success. Both the status **and** the
 * body are checked, whatever the content type, because servers also send errors with status 200, as text/plain or as
 * text/html (modelcontextprotocol/typescript-sdk#1342).
 */
export function responseFailure(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  body: string,
  { step, host, sent = [] }: ResponseContext,
): Failure | undefined {
  const error = oauthError(status, body);
  const waitMs = retryAfterMs(headers);
  const details: FailureDetails = {
    step,
    code: error === undefined ? `http_${status}` : error.code,
    status,
    host,
    ...(error !== undefined && { serverReason: displayReason(error.reason, sent) }),
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
  };
  // A server failure says nothing about the grant, whatever the body claims.
  if (isTransientStatus(status) || (error !== undefined && transientErrors.has(error.code))) {
    return new Failure('transient', details);
  }
  switch (error?.code) {
    case undefined:
      break;
    case 'invalid_grant':
      return new Failure('invalidGrant', details);
    case 'invalid_client':
      return new Failure('invalidClient', details);
    default:
      return new Failure('serverRejected', { ...details, code: refusalCode(details) ?? details.code });
  }
  if (status >= 200 && status < 300) {
    // A captive portal responds to every request with its own page (makenotion/notion-mcp-server#252).
    return isHtml(headers, body) ? new Failure('transient', { ...details, code: 'html' }) : undefined;
  }
  // Firewalls and proxies send these statuses themselves, with HTML; the request never reached the server
  // (knowsuchagency/mcp2cli#60).
  return new Failure(status === 401 || status === 403 || status === 407 ? 'transient' : 'invalidResponse', details);
}

/**
 * The code for a refusal that concerns who may connect; undefined for any other. Notion admits only members of a
 * workspace, and of clients only those that an admin allows. How it says so is not documented, so the text of an error
 * that denies access decides (makenotion/notion-mcp-server#227: "You are a guest, so you cannot connect to Notion MCP").
 */
export function refusalCode({
  code,
  status,
  serverReason,
}: FailureDetails): 'guest_not_allowed' | 'client_not_allowed' | undefined {
  if (code !== 'access_denied' && code !== 'unauthorized_client' && status !== 403) {
    return undefined;
  }
  const reason: string = serverReason ?? '';
  if (/\bguests?\b|\bnot (yet )?a member\b/i.test(reason)) {
    return 'guest_not_allowed';
  }
  return /\badmin(istrator)?s?\b/i.test(reason) ? 'client_not_allowed' : undefined;
}

/** Whether a status indicates a temporary problem of the server or of a proxy in front of it. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** A server's error text as plain text, without the secrets in `sent` and anything long enough to be a secret. */
export function displayReason(text: string, sent: readonly Secret[]): DisplayText {
  const excerpt = text.slice(0, longestExcerpt);
  // The last word may be the beginning of a secret.
  const whole = excerpt.length < text.length ? excerpt.replace(/\S*$/, '…') : excerpt;
  // Cleaning changes characters, after which a secret is not found; and it removes some, which may put one together.
  const clean = redactSecrets(displayText(redactSecrets(whole, sent), longestExcerpt), sent);
  return displayText(clean.replace(/[A-Za-z0-9_~+/=:.%-]{32,}/g, '[redacted]'), longestReason);
}

/** Of a longer text, the rest is not searched for secrets, and so not shown. */
const longestExcerpt = 4_000;
const longestReason = 200;

const transientErrors: ReadonlySet<FailureCode> = new Set([
  'server_error',
  'temporarily_unavailable',
  'too_many_requests',
  'slow_down',
]);

function oauthError(status: number, body: string): { code: FailureCode; reason: string } | undefined {
  const fields = jsonObject(body) ?? formFields(body);
  if (fields === undefined) {
    return undefined;
  }
  const { error, error_description: description, message } = fields;
  if (typeof error === 'string' && error !== '') {
    return {
      code: errorCode(error),
      reason: typeof description === 'string' && description !== '' ? description : error,
    };
  }
  // Supabase reports this without an OAuth error: 422 {"message":"Unrecognized client_id"} (supabase/mcp#355).
  if (status >= 400 && typeof message === 'string' && /^(unrecognized|unknown|invalid) client(_id)?$/i.test(message)) {
    return { code: 'invalid_client', reason: message };
  }
  return undefined;
}

/** The fields of a form-encoded error, which GitHub sends. */
function formFields(body: string): Record<string, unknown> | undefined {
  return /^error=[\w%+.~&=-]*$/.test(body.trim()) ? Object.fromEntries(new URLSearchParams(body.trim())) : undefined;
}

/** Whether a response is a web page, such as a captive portal's. */
export function isHtml(headers: Headers, body: string): boolean {
  return jsonObject(body) === undefined && (/\bhtml\b/i.test(headers.get('content-type') ?? '') || /^\s*</.test(body));
}
