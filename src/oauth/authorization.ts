import { AuthorizationResponseError, calculatePKCECodeChallenge, validateAuthResponse } from 'oauth4webapi';
import { toBase64, toBase64Url } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { Secret } from '../core/secret.ts';
import { displayReason, errorCode } from './errorResponse.ts';
import { Failure } from './errors.ts';
import type { AuthorizationServer, Client, Discovery } from './model.ts';
import { asLibraryServer } from './post.ts';
import { withOfflineAccess } from './scopes.ts';

/** An authorization request, with the values needed to validate its response. */
export interface PendingAuthorization {
  /** The URL to open in the browser, byte for byte. */
  url: string;
  state: Secret;
  verifier: Secret;
  /** The issuer that the request was sent to, recorded beside the PKCE verifier (A12). */
  issuer: string;
  clientId: string;
  redirectUri: string;
  resource: string;
  /** The requested scopes; undefined if the choice was left to the authorization server. */
  scopes?: string[];
}

export interface AuthorizationOptions {
  redirectUri: string;
  scopes?: readonly string[];
  randomness: Randomness;
  prompt?: 'consent';
}

/**
 * Builds an authorization request with PKCE (RFC 7636, always S256), `resource` (RFC 8707) and a 256-bit `state`.
 */
export async function buildAuthorization(
  { authorizationServer, resource, scopes: discoveredScopes }: Discovery,
  { clientId }: Client,
  { redirectUri, scopes: requestedScopes = discoveredScopes, randomness, prompt }: AuthorizationOptions,
): Promise<PendingAuthorization> {
  const verifier = toBase64Url(randomness.bytes(32));
  // Base64, not base64url: its trailing `=` shows the callback parser how often the query was percent-encoded.
  const state = toBase64(randomness.bytes(32));
  const scopes = withOfflineAccess(requestedScopes, authorizationServer.scopesSupported);
  const url = new URL(authorizationServer.authorizationEndpoint);
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    resource,
    ...(scopes && { scope: scopes.join(' ') }),
    ...(prompt && { prompt }),
  };
  for (const [name, value] of Object.entries(parameters)) {
    url.searchParams.set(name, value);
  }
  return {
    url: url.href,
    state: new Secret(state),
    verifier: new Secret(verifier),
    issuer: authorizationServer.issuer,
    clientId,
    redirectUri,
    resource,
    ...(scopes && { scopes }),
  };
}

/**
 * Validates the authorization response and returns its code.
 * @throws Failure `unsafe` if the `state` is not ours, `iss` is wrong or missing (RFC 9207), the server's issuer is not
 *   the request's, or a parameter occurs twice; `invalidResponse` if there is neither a code nor an error. In
 *   both cases the genuine response may still arrive. `accessDenied` if the user denied access and `serverRejected` for
 *   any other error are final.
 */
export function validateCallback(
  pending: PendingAuthorization,
  server: AuthorizationServer,
  parameters: URLSearchParams,
): Secret {
  const { host } = new URL(pending.issuer);
  const unsafe = (code: string) => new Failure('unsafe', { step: 'authorization', code, host });
  if (singleValued.some((name) => parameters.getAll(name).length > 1)) {
    throw unsafe('duplicate_parameter');
  }
  if (parameters.get('state') !== pending.state.reveal()) {
    throw unsafe('state_mismatch');
  }
  if (server.issuer !== pending.issuer) {
    throw unsafe('issuer_mismatch');
  }
  // Check this first: nothing that another server sends, errors included, may be acted on or shown.
  checkIssuer(pending, server, parameters.get('iss'), unsafe);
  let validated: URLSearchParams;
  try {
    validated = validateAuthResponse(
      asLibraryServer(server),
      { client_id: pending.clientId },
      parameters,
      pending.state.reveal(),
    );
  } catch (error) {
    throw error instanceof AuthorizationResponseError
      ? authorizationError(error.error, error.error_description, host, pending)
      : unsafe('not_a_code_response');
  }
  const code = validated.get('code');
  if (code === null || code === '') {
    throw new Failure('invalidResponse', { step: 'authorization', code: 'no_code', host, missing: 'code' });
  }
  return new Secret(code);
}

const singleValued = ['code', 'state', 'iss', 'error', 'error_description', 'response'];

/**
 * Checks `iss` as RFC 9207 and the MCP specification require, in all four combinations of advertised and present (A12).
 * Issuers are compared as plain strings; an empty `iss` is a mismatch.
 */
function checkIssuer(
  { issuer }: PendingAuthorization,
  { issParameterSupported }: AuthorizationServer,
  iss: string | null,
  unsafe: (code: string) => Failure,
): void {
  if (iss === null && issParameterSupported) {
    throw unsafe('issuer_missing');
  }
  if (iss !== null && iss !== issuer) {
    throw unsafe('issuer_mismatch');
  }
}

function authorizationError(
  error: string,
  description: string | undefined,
  host: string,
  { state, verifier }: PendingAuthorization,
): Failure {
  return new Failure(error === 'access_denied' ? 'accessDenied' : 'serverRejected', {
    step: 'authorization',
    code: errorCode(error),
    host,
    serverReason: displayReason(description || error, [state, verifier]),
  });
}
