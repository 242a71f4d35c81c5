import { genericTokenEndpointRequest, refreshTokenGrantRequest } from 'oauth4webapi';
import type { Clock } from '../core/clock.ts';
import { jsonObject } from '../core/json.ts';
import { Secret } from '../core/secret.ts';
import type { Http } from '../http/client.ts';
import { responseFailure } from './errorResponse.ts';
import { Failure } from './errors.ts';
import { asLibraryServer, clientAuthentication, secretsOf, sendOver } from './library.ts';
import type { AuthorizationServer, Client, Tokens } from './model.ts';
import { parseScope } from './scopes.ts';

export interface Exchange {
  code: Secret;
  verifier: Secret;
  /** The same redirect URI as in the authorization request. */
  redirectUri: string;
  resource: string;
  clock: Clock;
  signal?: AbortSignal;
}

export interface Refresh {
  refreshToken: Secret;
  /** The `resource` parameter (RFC 8707); absent if the server does not accept it. */
  resource: string | undefined;
  clock: Clock;
  /** Default: `tokenLimitMs`. */
  deadlineMs?: number;
}

/**
 * The time limit of a request that spends a code or a refresh token: aborted too early, it costs the sign-in, as the
 * server may have processed it.
 */
export const tokenLimitMs = 90_000;

/**
 * Exchanges an authorization code for tokens (RFC 6749 section 4.1.3, RFC 7636, RFC 8707).
 * @throws Failure; `invalidGrant` if the code was already used or has expired
 */
export async function exchange(
  http: Http,
  server: AuthorizationServer,
  client: Client,
  { code, verifier, redirectUri, resource, clock, signal }: Exchange,
): Promise<Tokens> {
  const response = await genericTokenEndpointRequest(
    asLibraryServer(server),
    { client_id: client.clientId },
    clientAuthentication(client),
    'authorization_code',
    { code: code.reveal(), redirect_uri: redirectUri, code_verifier: verifier.reveal(), resource },
    sendOver(http, {
      step: 'token',
      privateAddresses: server.onPrivateNetwork ? 'allow' : 'refuse',
      signal,
      deadlineMs: tokenLimitMs,
    }),
  );
  return readTokens(response, server, secretsOf(client, [code, verifier]), clock);
}

/**
 * Exchanges a refresh token for new tokens (RFC 6749 section 6). If the response omits the refresh token or the scopes,
 * they are undefined in the result, and the caller keeps the previous ones (modelcontextprotocol/python-sdk#2270).
 * @throws Failure; `invalidGrant` for `invalid_grant`, `invalidClient` for `invalid_client`, `transient` if the
 *   response says nothing about the grant
 */
export async function refresh(
  http: Http,
  server: AuthorizationServer,
  client: Client,
  { refreshToken, resource, clock, deadlineMs = tokenLimitMs }: Refresh,
): Promise<Tokens> {
  // The address of this endpoint was checked at sign-in, before the code was sent there.
  const options = sendOver(http, { step: 'token', privateAddresses: 'allow', deadlineMs });
  const response = await refreshTokenGrantRequest(
    asLibraryServer(server),
    { client_id: client.clientId },
    clientAuthentication(client),
    refreshToken.reveal(),
    { ...options, ...(resource !== undefined && { additionalParameters: { resource } }) },
  );
  return readTokens(response, server, secretsOf(client, [refreshToken]), clock);
}

/** Ten years; a longer `expires_in` is implausible and is ignored. */
const maxLifetimeSeconds = 10 * 365 * 24 * 60 * 60;
const minLifetimeSeconds = 60;

/**
 * Reads a token response. The library's own function refuses what servers really send: status 201
 * (modelcontextprotocol/python-sdk#1502), an unusable `expires_in` (QwenLM/qwen-code#5355), an empty or `null` refresh
 * token, and an ID token, which we do not use, of another issuer.
 */
async function readTokens(
  response: Response,
  { tokenEndpoint }: AuthorizationServer,
  sent: Secret[],
  clock: Clock,
): Promise<Tokens> {
  const obtainedAtMs = clock.nowMs();
  const { host } = new URL(tokenEndpoint);
  const body = await response.text();
  const failure = responseFailure(response, body, { step: 'token', host, sent });
  if (failure !== undefined) {
    throw failure;
  }
  const details = { step: 'token', status: response.status, host } as const;
  const fields = jsonObject(body);
  if (fields === undefined) {
    throw new Failure('invalidResponse', { ...details, code: 'not_json' });
  }
  if (!isHeaderSafe(fields.access_token)) {
    throw new Failure('invalidResponse', { ...details, code: 'no_access_token', missing: 'access_token' });
  }
  if (typeof fields.token_type !== 'string') {
    throw new Failure('invalidResponse', { ...details, code: 'no_token_type', missing: 'token_type' });
  }
  // Tokens of other types cannot be sent as `Authorization: Bearer` (A25).
  if (fields.token_type.toLowerCase() !== 'bearer') {
    throw new Failure('invalidResponse', { ...details, code: 'unknown_token_type' });
  }
  const { refresh_token: refreshToken } = fields;
  const expiresInSeconds = lifetimeSeconds(fields.expires_in);
  const scopes = parseScope(fields.scope);
  return {
    accessToken: new Secret(fields.access_token),
    // An empty refresh token counts as absent: the caller keeps the previous one.
    ...(typeof refreshToken === 'string' && refreshToken !== '' && { refreshToken: new Secret(refreshToken) }),
    obtainedAtMs,
    ...(expiresInSeconds !== undefined && { expiresInSeconds }),
    ...(scopes && { scopes }),
  };
}

/**
 * Reads `expires_in`, a number or a numeric string. Zero, negative and implausible values are ignored
 * (QwenLM/qwen-code#5355, openai/codex#6572). Less than a minute counts as a minute: else a server could make every
 * window renew all the time. A token that ends earlier is rejected by then, and renewed at most once a minute.
 */
function lifetimeSeconds(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number.parseFloat(value) : value;
  return typeof number === 'number' && number >= 1 && number <= maxLifetimeSeconds
    ? Math.max(minLifetimeSeconds, Math.floor(number))
    : undefined;
}

/** Whether `token` is visible ASCII only: other characters cannot be sent in an `Authorization` header. */
function isHeaderSafe(token: unknown): token is string {
  return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token);
}
