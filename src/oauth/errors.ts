/** Kinds of failure that callers switch on. */
export type FailureKind =
  /** The person said no at the consent page. */
  | 'accessDenied'
  /** The person, or the editor on their behalf, stopped waiting. */
  | 'cancelled'
  /** The grant is over (`invalid_grant`): only a new sign-in helps. */
  | 'invalidGrant'
  /** The server no longer knows our client registration (`invalid_client`). */
  | 'invalidClient'
  /** The server understood and said no, for a reason of its own. */
  | 'serverRejected'
  /** Network, time-out, 5xx, 429, captive portal: the same again may work later. */
  | 'transient'
  /** The answer is not what the protocol says: HTML, no JSON, a required field is missing. */
  | 'invalidResponse'
  /** Mismatch of state, issuer, resource, redirect, or an address that must not be used. */
  | 'unsafe'
  /** What was configured cannot be used; nothing was sent. */
  | 'misconfigured';

/** Where in the protocol it happened. */
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
  /** A stable code of ours or a registered OAuth error code, e.g. `no_authorization_servers`, `invalid_redirect_uri`. Never free text. */
  code: string;
  /** The HTTP status, where there was an answer. */
  status?: number;
  /** The host that was asked. */
  host?: string;
  /** Where we looked (URLs without query), for `nonsense` in discovery. */
  lookedAt?: string[];
  /** What was missing, e.g. `authorization_servers`, `token_endpoint`. */
  missing?: string;
  /** The server's own words (`error_description`): cleaned, cut, shown only as plain text. */
  serverReason?: string;
  /** When the server said to come back (`Retry-After`), in milliseconds from now. */
  retryAfterMs?: number;
  cause?: unknown;
}

/** The one error that `oauth`, `notion` and `grants` throw. Its message holds kind, step, code and status, never a secret. */
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
