import { AuthorizationResponseError, calculatePKCECodeChallenge, validateAuthResponse } from 'oauth4webapi';
import { toBase64, toBase64Url } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { Secret } from '../core/secret.ts';
import { displayReason, refusalCode } from './errorResponse.ts';
import { errorCode, Failure, type FailureCode } from './errors.ts';
import { asLibraryServer } from './library.ts';
import type { AuthorizationServer, Client, Discovery } from './model.ts';
import { withOfflineAccess } from './scopes.ts';

/** An authorization request, with the values needed to validate its response and to exchange its code. */
export interface PendingAuthorization {
  /** The URL to open in the browser, byte for byte. */
  url: string;
  state: Secret;
  verifier: Secret;
  clientId: string;
  /** Where the request is sent, recorded beside the PKCE verifier (A12). */
  authorizationServer: AuthorizationServer;
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
    clientId,
    authorizationServer,
  };
}

/**
 * Validates the authorization response and returns its code.
 * @throws Failure `unsafe` if the `state` is not ours, `iss` is wrong or missing (RFC 9207) or a parameter occurs twice;
 *   `invalidResponse` if there is neither a code nor an error. In both cases the genuine response may still arrive.
 *   `accessDenied` if the user denied access and `serverRejected` for any other error are final.
 */
export function validateCallback(pending: PendingAuthorization, parameters: URLSearchParams): Secret {
  const { authorizationServer, clientId, state } = pending;
  const { host } = new URL(authorizationServer.issuer);
  const unsafe = (code: FailureCode) => new Failure('unsafe', { step: 'authorization', code, host });
  // The library accepts a second `code` and takes an empty `iss` for a missing one.
  if (singleValued.some((name) => parameters.getAll(name).length > 1)) {
    throw unsafe('duplicate_parameter');
  }
  if (parameters.get('iss') === '') {
    throw unsafe('issuer_mismatch');
  }
  let validated: URLSearchParams;
  try {
    // Checks `iss` and `state` first: nothing that another server sends, errors included, may be acted on or shown.
    const server = asLibraryServer(authorizationServer);
    validated = validateAuthResponse(server, { client_id: clientId }, parameters, state.reveal());
  } catch (error) {
    throw error instanceof AuthorizationResponseError
      ? authorizationError(error, host, pending)
      : unsafe(rejectionCode(pending, parameters));
  }
  const code = validated.get('code');
  if (code === null || code === '') {
    throw new Failure('invalidResponse', { step: 'authorization', code: 'no_code', host, missing: 'code' });
  }
  return new Secret(code);
}

const singleValued = ['code', 'state', 'iss', 'error', 'error_description', 'response'];

/** Why the library rejected a response, for the log: its error does not say so in a code. */
function rejectionCode(
  { authorizationServer: { issuer, issParameterSupported }, state }: PendingAuthorization,
  parameters: URLSearchParams,
): FailureCode {
  const iss = parameters.get('iss');
  if (parameters.get('state') !== state.reveal()) {
    return 'state_mismatch';
  }
  if (iss !== null && iss !== issuer) {
    return 'issuer_mismatch';
  }
  return iss === null && issParameterSupported ? 'issuer_missing' : 'not_a_code_response';
}

function authorizationError(
  { error, error_description: description }: AuthorizationResponseError,
  host: string,
  { state, verifier }: PendingAuthorization,
): Failure {
  const serverReason = displayReason(description || error, [state, verifier]);
  const details = { step: 'authorization', code: errorCode(error), host, serverReason } as const;
  const code = refusalCode(details) ?? details.code;
  return new Failure(code === 'access_denied' ? 'accessDenied' : 'serverRejected', { ...details, code });
}
