import type { Accounts } from '../accounts/accounts.ts';
import type { Clock } from '../core/clock.ts';
import { errorInfo } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';
import type { Http } from '../http/client.ts';
import { type Identity, readIdentity } from '../notion/identity.ts';
import { Failure } from '../oauth/errors.ts';
import type { Client, Discovery, Tokens } from '../oauth/model.ts';
import { revoke } from '../oauth/revocation.ts';
import { exchange } from '../oauth/token.ts';

export interface SignInResult {
  grant: Grant;
  /** The account was here before: the same user and workspace signed in again. */
  reconnected: boolean;
}

/** Whose sign-in it is, and how its requests are sent. */
export interface CompletionRequest {
  serverUrl: URL;
  /** What the consumer asked for; kept with the account. */
  scopes: readonly string[];
  signal: AbortSignal;
  http: Http;
  log: Log;
}

/** What came back from the browser, and what it was asked with. */
export interface AuthorizationResult {
  code: Secret;
  verifier: Secret;
  discovery: Discovery;
  client: Client;
  redirectUri: string;
}

export interface CompletionParts {
  accounts: Accounts;
  clock: Clock;
}

const identityLimitMs = 15_000;

/**
 * Code for tokens, tokens for a name, and all of it stored. Tokens that nobody will use are given back.
 * @throws Failure
 */
export async function completeSignIn(
  request: CompletionRequest,
  consent: AuthorizationResult,
  parts: CompletionParts,
): Promise<SignInResult> {
  const { serverUrl, scopes, signal, http, log } = request;
  const { code, verifier, discovery, client, redirectUri } = consent;
  const { authorizationServer, resource } = discovery;
  const { clock } = parts;
  // Not cancelled with the sign-in: what the server may already have issued has to be known to be given back.
  const tokens = await exchange(http, authorizationServer, client, { code, verifier, redirectUri, resource, clock });
  log.info('The code was exchanged for tokens.', { expiresInSeconds: tokens.expiresInSeconds });
  try {
    const identity = await identify(request, tokens.accessToken, clock);
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
      throw notStored(error, log);
    });
  } catch (error) {
    // Nobody will ever use them, so they are not left alive at the server.
    await revokeUnused(request, consent, tokens);
    throw error;
  }
}

/** Who the tokens are for. A failure here costs the label, never the sign-in. */
async function identify(
  { serverUrl, signal, http, log }: CompletionRequest,
  accessToken: Secret,
  clock: Clock,
): Promise<Identity | undefined> {
  const limit = new AbortController();
  const stopLimit = clock.after(identityLimitMs, () => limit.abort());
  try {
    return await readIdentity(http, serverUrl, accessToken, {
      signal: AbortSignal.any([signal, limit.signal]),
    });
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    log.warn('Notion did not say whose account this is; it gets a fallback label.', {
      kind: error.kind,
      code: error.details.code,
    });
    return undefined;
  } finally {
    stopLimit();
  }
}

/** Revokes tokens that nobody will use, best effort. */
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
    log.info('The tokens of a cancelled sign-in could not be revoked.', {
      kind: error instanceof Failure ? error.kind : 'unknown',
    });
  }
}

/** The disk or the secret storage said no; in words of ours, for theirs may hold a path. */
function notStored(error: unknown, log: Log): Failure {
  if (error instanceof Failure) {
    return error;
  }
  log.error('The sign-in could not be stored.', errorInfo(error));
  return new Failure('transient', { step: 'storage', code: 'not_stored', cause: error });
}
