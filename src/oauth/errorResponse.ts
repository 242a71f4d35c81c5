import { displayText } from '../core/displayText.ts';
import { jsonObject } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';
import type { HttpResponse } from '../http/client.ts';
import { HttpFailure } from '../http/errors.ts';
import { retryAfterMs } from '../http/retryAfter.ts';
import { Failure, type FailureDetails, type FailureStep } from './errors.ts';

/** What a failed request means. Anything but an `HttpFailure` or a `Failure` is a mistake of ours and thrown on. */
export function transportFailure(error: unknown, step: FailureStep): Failure {
  if (error instanceof Failure) {
    return error;
  }
  if (!(error instanceof HttpFailure)) {
    throw error;
  }
  const details = { step, host: error.host, cause: error };
  switch (error.kind) {
    case 'unreachable':
    case 'timeout':
    case 'certificate':
    case 'proxy':
      return new Failure('transient', { ...details, code: error.kind });
    case 'tooLarge':
      return new Failure('invalidResponse', { ...details, code: 'too_large' });
    // A redirected POST would hand the code or the refresh token to whoever is named (librefang/librefang#6315).
    case 'redirected':
    case 'insecure':
      return new Failure('unsafe', { ...details, code: error.kind });
    case 'privateAddress':
      return new Failure('unsafe', { ...details, code: 'private_address' });
    case 'cancelled':
      return new Failure('cancelled', { ...details, code: 'cancelled' });
  }
}

/**
 * What an answer means that is not the expected success; undefined when it is a success as far as status and body tell.
 * Judged by status **and** body, whatever the content type: errors come with status 200, as text/plain and inside HTML
 * content types (modelcontextprotocol/typescript-sdk#1342). `sent` are the secrets of the request; a server that
 * quotes them back does not get them shown.
 */
export function responseFailure(
  response: HttpResponse,
  step: FailureStep,
  sent: readonly Secret[],
): Failure | undefined {
  const { status, headers, url } = response;
  const error = oauthError(response);
  const waitMs = retryAfterMs(headers);
  const details: FailureDetails = {
    step,
    code: error === undefined ? `http_${status}` : error.code,
    status,
    host: url.host,
    ...(error?.reason !== undefined && { serverReason: displayReason(error.reason, sent) }),
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
  };
  // A server in trouble says nothing about the grant, whatever its body claims.
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
      return new Failure('serverRejected', details);
  }
  if (status >= 200 && status < 300) {
    // A captive portal answers everything with its own page (makenotion/notion-mcp-server#252).
    return isHtml(response) ? new Failure('transient', { ...details, code: 'html' }) : undefined;
  }
  // A firewall or proxy answers so, in HTML, without the server having been asked (knowsuchagency/mcp2cli#60).
  return new Failure(status === 401 || status === 403 || status === 407 ? 'transient' : 'invalidResponse', details);
}

/** Whether a status says that the server, or what stands before it, is in trouble for now. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** A server's `error` as one of the registered codes, so that no free text gets where codes go. */
export function errorCode(text: string): string {
  return registeredErrors.has(text) ? text : 'unregistered_error';
}

/** A server's own words: plain text, without the secrets it was sent or anything long enough to be one. */
export function displayReason(text: string, sent: readonly Secret[]): string {
  // Cleaned before it is searched: a secret with invisible characters in it would be readable afterwards.
  let reason = displayText(text, 10 * longestReason);
  for (const secret of sent) {
    if (secret.reveal() !== '') {
      reason = reason.replaceAll(secret.reveal(), '[secret]');
    }
  }
  return displayText(reason.replace(/[A-Za-z0-9_~+/=:.-]{32,}/g, '[redacted]'), longestReason);
}

const longestReason = 200;

const transientErrors: ReadonlySet<string> = new Set([
  'server_error',
  'temporarily_unavailable',
  'too_many_requests',
  'slow_down',
]);

/** RFC 6749, 6750, 7009, 7591, 8707 and OpenID Connect Core; `too_many_requests` is the MCP SDK's. */
const registeredErrors: ReadonlySet<string> = new Set([
  ...transientErrors,
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
  'unsupported_token_type',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'insufficient_scope',
  'access_denied',
  'invalid_redirect_uri',
  'invalid_client_metadata',
  'invalid_software_statement',
  'unapproved_software_statement',
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
]);

function oauthError({ status, body }: HttpResponse): { code: string; reason?: string } | undefined {
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
  // Supabase says it without an OAuth error: 422 {"message":"Unrecognized client_id"} (supabase/mcp#355).
  if (status >= 400 && typeof message === 'string' && /^(unrecognized|unknown|invalid) client(_id)?$/i.test(message)) {
    return { code: 'invalid_client', reason: message };
  }
  return undefined;
}

/** A body in form encoding, as GitHub answers. */
function formFields(body: string): Record<string, unknown> | undefined {
  return /^error=[\w%+.~&=-]*$/.test(body.trim()) ? Object.fromEntries(new URLSearchParams(body.trim())) : undefined;
}

function isHtml({ headers, body }: HttpResponse): boolean {
  return jsonObject(body) === undefined && (/\bhtml\b/i.test(headers.get('content-type') ?? '') || /^\s*</.test(body));
}
