import type { Accounts } from '../accounts/accounts.ts';
import type { Clock } from '../core/clock.ts';
import { errorInfo } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';
import { withBearer } from '../http/bearer.ts';
import type { Http } from '../http/client.ts';
import { type Identity, readIdentity } from '../notion/identity.ts';
import { Failure } from '../oauth/errors.ts';
import type { Client, Discovery, Tokens } from '../oauth/model.ts';
import { revoke } from '../oauth/revocation.ts';
import { exchange } from '../oauth/token.ts';
import type { Attempt } from './attempts.ts';

export interface SignInResult {
  grant: Grant;
  /** Whether the account existed before: the same user signed in to the same workspace again. */
  reconnected: boolean;
}

/** The sign-in to complete, and what sends and logs its requests. */
export interface CompletionRequest {
  serverUrl: URL;
  /** The scopes that the consumer requested; stored with the account. */
  scopes: readonly string[];
  signal: AbortSignal;
  /** Sends the exchange and the request for the identity, again after passing failures. */
  attempt: Attempt;
  http: Http;
  log: Log;
}

/** The code that the callback delivered, and the authorization request that it belongs to. */
export interface AuthorizationResult {
  code: Secret;
  verifier: Secret;
  /** The scopes that were requested. */
  scopes: string[] | undefined;
  discovery: Discovery;
  client: Client;
  redirectUri: string;
}

export interface CompletionParts {
  accounts: Pick<Accounts, 'storeSignIn'>;
  clock: Clock;
  /** The MCP servers that speak older revisions only, for all sign-ins of this window. */
  olderOrigins: Set<string>;
}

/** The time limit of each request for the identity. */
const identityLimitMs = 15_000;

/**
 * Exchanges the code for tokens, looks up the identity they belong to and stores the grant. Revokes the tokens if a
 * later step fails.
 * @throws Failure when the exchange or storing fails, of kind `accessDenied` and code `fewer_scopes` if the account keeps
 *   its earlier grant, which allows more, of kind `transient` and code `not_stored` if the storage rejects
 *   the grant
 */
export async function completeSignIn(
  request: CompletionRequest,
  consent: AuthorizationResult,
  parts: CompletionParts,
): Promise<SignInResult> {
  const { serverUrl, scopes, signal, attempt, http, log } = request;
  const { code, verifier, scopes: requested, discovery, client, redirectUri } = consent;
  const { authorizationServer, resource } = discovery;
  const { clock } = parts;
  // Not cancelled with the sign-in: the server may already have issued tokens, and revoking them requires the response.
  const granted = await attempt(() =>
    exchange(http, authorizationServer, client, { code, verifier, redirectUri, resource, clock }),
  );
  // A response without `scope` grants what was requested (RFC 6749 section 5.1).
  const tokens: Tokens = { ...(requested && { scopes: requested }), ...granted };
  log.info('The code was exchanged for tokens.', { expiresInSeconds: tokens.expiresInSeconds });
  try {
    const identity = await identify(request, tokens.accessToken, parts);
    signal.throwIfAborted();
    const fresh = {
      serverUrl: serverUrl.href,
      resource,
      authorizationServer,
      client,
      tokens,
      ...(identity && { identity }),
      askedScopes: [...scopes],
    };
    return await parts.accounts.storeSignIn(fresh, log).catch((error: unknown) => {
      throw storageFailure(error, log);
    });
  } catch (error) {
    // No grant holds these tokens, so they must not stay valid at the authorization server.
    await revokeUnused(request, consent, tokens);
    throw error;
  }
}

/** Looks up the user and workspace that the tokens belong to. A failure costs the label, never the sign-in. */
async function identify(
  { serverUrl, signal, attempt, http, log }: CompletionRequest,
  accessToken: Secret,
  { clock, olderOrigins }: CompletionParts,
): Promise<Identity | undefined> {
  try {
    return await attempt(async () => {
      const limit = new AbortController();
      const stopLimit = clock.after(identityLimitMs, () => limit.abort());
      try {
        const limited = AbortSignal.any([signal, limit.signal]);
        return await readIdentity(withBearer(http, accessToken), serverUrl, { signal: limited, olderOrigins });
      } finally {
        stopLimit();
      }
    });
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    log.warn('The identity of the account could not be read; it gets a fallback label.', {
      kind: error.kind,
      code: error.details.code,
    });
    return undefined;
  }
}

/** Revokes tokens that no grant holds; best effort. */
async function revokeUnused(
  { http, log }: CompletionRequest,
  { discovery, client }: AuthorizationResult,
  { accessToken, refreshToken }: Tokens,
): Promise<void> {
  const token = refreshToken ?? accessToken;
  const hint = refreshToken ? 'refresh_token' : 'access_token';
  try {
    await revoke(http, discovery.authorizationServer, client, { token, hint });
  } catch (error) {
    log.info('The tokens of an unfinished sign-in could not be revoked.', {
      kind: error instanceof Failure ? error.kind : 'unknown',
    });
  }
}

/** The failure for an error of the disk or the secret storage, whose own message may contain a path. */
function storageFailure(error: unknown, log: Log): Failure {
  if (error instanceof Failure) {
    return error;
  }
  log.error('The sign-in could not be stored.', errorInfo(error));
  return new Failure('transient', { step: 'storage', code: 'not_stored', cause: error });
}
