import type { DisplayText } from '../core/displayText.ts';

/** The kinds of failure that callers distinguish. */
export type FailureKind =
  /** The user denied access on the consent page. */
  | 'accessDenied'
  /** The user cancelled, or the editor did on the user's behalf. */
  | 'cancelled'
  /** The grant has ended (`invalid_grant`): only a new sign-in helps. */
  | 'invalidGrant'
  /** The authorization server no longer recognizes our client registration (`invalid_client`). */
  | 'invalidClient'
  /** The server understood the request and rejected it for another reason. */
  | 'serverRejected'
  /** A network error, timeout, 5xx, 429 or captive portal: the same request may succeed later. */
  | 'transient'
  /** The response violates the protocol: it is HTML, is not JSON or lacks a required field. */
  | 'invalidResponse'
  /** A mismatch of state, issuer, resource or redirect URI, or an address that must not be used. */
  | 'unsafe'
  /** The configuration cannot be used; the request was not sent. */
  | 'misconfigured';

/** The protocol step that failed. */
export type FailureStep =
  | 'discovery'
  | 'registration'
  | 'authorization'
  | 'token'
  | 'revocation'
  | 'identity'
  | 'storage';

/** A stable code for what went wrong. By construction, it never contains a server's text. */
export type FailureCode = OwnCode | OAuthErrorCode | `http_${number}`;

export interface FailureDetails {
  step: FailureStep;
  code: FailureCode;
  /** The HTTP status, if there was a response. */
  status?: number;
  /** The host that the request went to. */
  host?: string;
  /** The URLs that discovery tried, without their query. */
  lookedAt?: string[];
  /** The missing field, for example `authorization_servers` or `token_endpoint`. */
  missing?: string;
  /** The scopes that the MCP server's challenge named. */
  scopes?: readonly string[];
  /** The server's `error_description`, without secrets. */
  serverReason?: DisplayText;
  /** How long the server asked us to wait (`Retry-After`), in milliseconds from now. */
  retryAfterMs?: number;
  /** Whether a request that got no response may have reached the server; absent if there was a response. */
  wasSent?: boolean;
  cause?: unknown;
}

/**
 * The only error that `oauth`, `notion` and `grants` throw. Its message contains the kind, step, code and status, and
 * never a secret.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  readonly details: FailureDetails;

  constructor(kind: FailureKind, details: FailureDetails) {
    const status = details.status === undefined ? '' : ` (${details.status})`;
    super(`${kind} at ${details.step}: ${details.code}${status}`, { cause: details.cause });
    this.kind = kind;
    this.details = details;
  }
}

export type OAuthErrorCode = (typeof oauthErrorCodes)[number];

/** RFC 6749, 6750, 7009, 7591, 8628, 8707 and OpenID Connect Core; `too_many_requests` is the MCP SDK's. */
const oauthErrorCodes = [
  ...['server_error', 'temporarily_unavailable', 'too_many_requests', 'slow_down'],
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'invalid_scope', 'invalid_target', 'invalid_token'],
  ...['unauthorized_client', 'unsupported_grant_type', 'unsupported_response_type', 'unsupported_token_type'],
  ...['insufficient_scope', 'access_denied', 'invalid_redirect_uri', 'invalid_client_metadata'],
  ...['invalid_software_statement', 'unapproved_software_statement'],
  ...['login_required', 'consent_required', 'interaction_required', 'account_selection_required'],
] as const;

/** Returns a server's `error` if it is a registered code, else `unregistered_error`. */
export function errorCode(text: string): OAuthErrorCode | 'unregistered_error' {
  return oauthErrorCodes.find((code) => code === text) ?? 'unregistered_error';
}

type OwnCode =
  // Discovery, of which the first step is to check the configured URL.
  | `server_url_${'empty' | 'no_scheme' | 'invalid' | 'credentials' | 'insecure' | 'fragment' | 'query' | 'sse'}`
  | 'server_url_trailing_slash'
  | 'no_mcp_endpoint'
  | 'no_resource_metadata'
  | 'no_resource'
  | 'no_authorization_servers'
  | 'no_server_metadata'
  | 'no_issuer'
  | `${'no' | 'bad'}_${Endpoint}`
  | 'no_pkce_s256'
  | 'bad_issuer'
  | 'resource_mismatch'
  // Registration and authorization.
  | 'no_registration'
  | 'no_client_metadata'
  | 'client_declined'
  | 'no_client_id'
  | 'no_client_secret'
  | 'unknown_auth_method'
  | 'no_channel'
  | 'hosts_declined'
  | 'browser_limit'
  | 'duplicate_parameter'
  | 'state_mismatch'
  | 'issuer_missing'
  | 'issuer_mismatch'
  | 'redirect_mismatch'
  | 'not_a_code_response'
  | 'no_code'
  // Who may connect, at the consent page or any endpoint.
  | 'guest_not_allowed'
  | 'client_not_allowed'
  | 'fewer_scopes'
  // Tokens.
  | 'no_access_token'
  | 'no_refresh_token'
  | 'no_token_type'
  | 'unknown_token_type'
  // Any response.
  | 'unregistered_error'
  | 'not_json'
  | 'html'
  | 'rpc_error'
  | 'invalid_params'
  | 'no_reply'
  | 'no_result'
  | 'no_identity'
  | 'rate_limited'
  | 'server_fault'
  | 'tool_error'
  // A stored grant.
  | 'ended'
  | 'ending'
  | 'waiting'
  | 'unconfirmed'
  | 'signed_out'
  | 'locked'
  | 'lock_lost'
  | 'read_only'
  | 'newer_version'
  | 'unreadable'
  | 'not_private'
  | 'stale_window'
  | 'not_stored'
  | 'disk'
  // A request without a response.
  | 'unreachable'
  | 'timeout'
  | 'interrupted'
  | 'certificate'
  | 'unverified'
  | 'proxy'
  | 'redirected'
  | 'insecure'
  | 'private_address'
  | 'too_large'
  | 'cancelled';

/** The endpoints in an authorization server's metadata. */
export type Endpoint = `${'authorization' | 'token' | 'registration' | 'revocation'}_endpoint`;
