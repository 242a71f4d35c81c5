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
  /** The same as in the authorization request. */
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
 * Exchanges a code for tokens (RFC 6749 section 4.1.3, RFC 7636, RFC 8707).
 * @throws Failure; `invalidGrant` when the code is spent or expired
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
 * Exchanges a refresh token for new tokens (RFC 6749 section 6). What the answer leaves out (`refreshToken`, `scopes`)
 * is undefined here and stays as it was for the caller (modelcontextprotocol/python-sdk#2270).
 * @throws Failure; `invalidGrant` for `invalid_grant`, `invalidClient` for `invalid_client`, `transient` when the
 *   answer says nothing about the grant
 */
export async function refresh(
  http: Http,
  server: AuthorizationServer,
  client: Client,
  { refreshToken, resource, clock, signal }: Refresh,
): Promise<Tokens> {
  const response = await postThroughLibrary(
    http,
    // The code went to this very endpoint at sign-in, when its address was judged.
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

/** Ten years: an `expires_in` beyond is no statement about a token. */
const longestLifeSeconds = 10 * 365 * 24 * 60 * 60;

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
  // Any other type has to be sent in another way than `Authorization: Bearer` (A25).
  if (fields.token_type.toLowerCase() !== 'bearer') {
    throw new Failure('invalidResponse', { ...details, code: 'unknown_token_type' });
  }
  const { refresh_token: refreshToken } = fields;
  const answer = await processGenericTokenEndpointResponse(
    asLibraryServer(server),
    { client_id: client.clientId },
    libraryResponse(
      {
        access_token: fields.access_token,
        token_type: fields.token_type,
        // An empty one is none: the one we hold stays.
        ...(typeof refreshToken === 'string' && refreshToken !== '' && { refresh_token: refreshToken }),
      },
      200,
    ),
  );
  const expiresInSeconds = lifeSeconds(fields.expires_in);
  const scopes = parseScope(fields.scope);
  return {
    accessToken: new Secret(answer.access_token),
    ...(answer.refresh_token !== undefined && { refreshToken: new Secret(answer.refresh_token) }),
    obtainedAtMs,
    ...(expiresInSeconds !== undefined && { expiresInSeconds }),
    ...(scopes && { scopes }),
  };
}

/** `expires_in` as a number or a numeric string; 0, negative and absurd values say nothing (QwenLM/qwen-code#5355, openai/codex#6572). */
function lifeSeconds(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number.parseFloat(value) : value;
  return typeof number === 'number' && number >= 1 && number <= longestLifeSeconds ? Math.floor(number) : undefined;
}

/** Visible ASCII: anything else cannot stand in an `Authorization` header. */
function isHeaderSafe(token: unknown): token is string {
  return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token);
}
