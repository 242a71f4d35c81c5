import {
  genericTokenEndpointRequest,
  processGenericTokenEndpointResponse,
  refreshTokenGrantRequest,
} from 'oauth4webapi';
import type { Clock } from '../core/clock.ts';
import { jsonObject } from '../core/json.ts';
import { Secret } from '../core/secret.ts';
import type { Http, HttpResponse } from '../http/client.ts';
import { responseFailure } from './errorResponse.ts';
import { Failure } from './errors.ts';
import type { AuthorizationServer, Client, Tokens } from './model.ts';
import { asLibraryServer, clientAuthentication, libraryResponse, postThroughLibrary, secretsOf } from './post.ts';
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
  resource: string;
  clock: Clock;
  signal?: AbortSignal;
}

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
  const response = await postThroughLibrary(
    http,
    { step: 'token', privateAddresses: server.onPrivateNetwork ? 'allow' : 'refuse', ...(signal && { signal }) },
    (options) =>
      genericTokenEndpointRequest(
        asLibraryServer(server),
        { client_id: client.clientId },
        clientAuthentication(client),
        'authorization_code',
        { code: code.reveal(), redirect_uri: redirectUri, code_verifier: verifier.reveal(), resource },
        options,
      ),
  );
  return readTokens(response, client, [code, verifier], server, clock);
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
  { refreshToken, resource, clock, signal }: Refresh,
): Promise<Tokens> {
  const response = await postThroughLibrary(
    http,
    // The address of this endpoint was checked at sign-in, before the code was sent there.
    { step: 'token', privateAddresses: 'allow', ...(signal && { signal }) },
    (options) =>
      refreshTokenGrantRequest(
        asLibraryServer(server),
        { client_id: client.clientId },
        clientAuthentication(client),
        refreshToken.reveal(),
        { ...options, additionalParameters: { resource } },
      ),
  );
  return readTokens(response, client, [refreshToken], server, clock);
}

/** Ten years; a longer `expires_in` is implausible and is ignored. */
const maxLifetimeSeconds = 10 * 365 * 24 * 60 * 60;

async function readTokens(
  response: HttpResponse,
  client: Client,
  sent: Secret[],
  server: AuthorizationServer,
  clock: Clock,
): Promise<Tokens> {
  const obtainedAtMs = clock.nowMs();
  const failure = responseFailure(response, 'token', secretsOf(client, sent));
  if (failure !== undefined) {
    throw failure;
  }
  const details = { step: 'token', status: response.status, host: response.url.host } as const;
  const fields = jsonObject(response.body);
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
  const validated = await processGenericTokenEndpointResponse(
    asLibraryServer(server),
    { client_id: client.clientId },
    libraryResponse(
      {
        access_token: fields.access_token,
        token_type: fields.token_type,
        // An empty refresh token counts as absent: the caller keeps the previous one.
        ...(typeof refreshToken === 'string' && refreshToken !== '' && { refresh_token: refreshToken }),
      },
      200,
    ),
  );
  const expiresInSeconds = lifetimeSeconds(fields.expires_in);
  const scopes = parseScope(fields.scope);
  return {
    accessToken: new Secret(validated.access_token),
    ...(validated.refresh_token !== undefined && { refreshToken: new Secret(validated.refresh_token) }),
    obtainedAtMs,
    ...(expiresInSeconds !== undefined && { expiresInSeconds }),
    ...(scopes && { scopes }),
  };
}

/**
 * Reads `expires_in`, a number or a numeric string. Zero, negative and implausible values are ignored
 * (QwenLM/qwen-code#5355, openai/codex#6572).
 */
function lifetimeSeconds(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number.parseFloat(value) : value;
  return typeof number === 'number' && number >= 1 && number <= maxLifetimeSeconds ? Math.floor(number) : undefined;
}

/** Whether `token` is visible ASCII only: other characters cannot be sent in an `Authorization` header. */
function isHeaderSafe(token: unknown): token is string {
  return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token);
}
