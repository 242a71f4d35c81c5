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

export interface FailureDetails {
  step: FailureStep;
  /**
   * One of our own stable codes (`no_authorization_servers`) or a registered OAuth error code (`invalid_redirect_uri`).
   * Never free text.
   */
  code: string;
  /** The HTTP status, if there was a response. */
  status?: number;
  /** The host that the request went to. */
  host?: string;
  /** The URLs that discovery tried, without their query. */
  lookedAt?: string[];
  /** The missing field, for example `authorization_servers` or `token_endpoint`. */
  missing?: string;
  /** The server's `error_description`, cleaned and shortened; show it only as plain text. */
  serverReason?: string;
  /** How long the server asked us to wait (`Retry-After`), in milliseconds from now. */
  retryAfterMs?: number;
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
