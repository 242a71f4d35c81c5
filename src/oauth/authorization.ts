import { AuthorizationResponseError, calculatePKCECodeChallenge, validateAuthResponse } from 'oauth4webapi';
import { toBase64, toBase64Url } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { Secret } from '../core/secret.ts';
import { displayReason, errorCode } from './errorResponse.ts';
import { Failure } from './errors.ts';
import type { AuthorizationServer, Client, Discovery } from './model.ts';
import { asLibraryServer } from './post.ts';
import { withOfflineAccess } from './scopes.ts';

/** One authorization request, with what its answer is judged by. */
export interface PendingAuthorization {
  /** To be opened in the browser byte for byte. */
  url: string;
  state: Secret;
  verifier: Secret;
  /** The issuer the request went to, recorded beside the verifier (A12). */
  issuer: string;
  clientId: string;
  redirectUri: string;
  resource: string;
  /** What was asked for; undefined when it was left to the server. */
  scopes?: string[];
}

export interface AuthorizationOptions {
  redirectUri: string;
  scopes?: readonly string[];
  randomness: Randomness;
  prompt?: 'consent';
}

/**
 * Builds an authorization request with PKCE, S256 only (RFC 7636), `resource` (RFC 8707) and a `state` of 256 bits.
 * @throws Failure `unsafe` when the authorization endpoint is no address to be opened
 */
export async function buildAuthorization(
  { authorizationServer, resource, scopes: discovered }: Discovery,
  { clientId }: Client,
  { redirectUri, scopes: asked = discovered, randomness, prompt }: AuthorizationOptions,
): Promise<PendingAuthorization> {
  const verifier = toBase64Url(randomness.bytes(32));
  // Plain base64: its `=` tells the reader of the callback how often the query was encoded on its way.
  const state = toBase64(randomness.bytes(32));
  const scopes = withOfflineAccess(asked, authorizationServer.scopesSupported);
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
 * Judges the answer to an authorization request and returns its code.
 * @throws Failure `unsafe` for a foreign `state`, a wrong or missing `iss` (RFC 9207), another server or a parameter
 *   given twice; `nonsense` when there is neither code nor error: in both cases the request may still be answered.
 *   `refused` when the person said no and `serverRejected` for any other error end it.
 */
export function validateCallback(
  pending: PendingAuthorization,
  server: AuthorizationServer,
  parameters: URLSearchParams,
): Secret {
  const { host } = new URL(pending.issuer);
  const unsafe = (code: string) => new Failure('unsafe', { step: 'authorization', code, host });
  if (singular.some((name) => parameters.getAll(name).length > 1)) {
    throw unsafe('duplicate_parameter');
  }
  if (parameters.get('state') !== pending.state.reveal()) {
    throw unsafe('state_mismatch');
  }
  if (server.issuer !== pending.issuer) {
    throw unsafe('issuer_mismatch');
  }
  // Before anything else is looked at: what another server says, errors included, is neither acted on nor shown.
  judgeIssuer(pending, server, parameters.get('iss'), unsafe);
  let judged: URLSearchParams;
  try {
    judged = validateAuthResponse(
      asLibraryServer(server),
      { client_id: pending.clientId },
      parameters,
      pending.state.reveal(),
    );
  } catch (error) {
    throw error instanceof AuthorizationResponseError
      ? refusal(error.error, error.error_description, host, pending)
      : unsafe('not_a_code_response');
  }
  const code = judged.get('code');
  if (code === null || code === '') {
    throw new Failure('invalidResponse', { step: 'authorization', code: 'no_code', host, missing: 'code' });
  }
  return new Secret(code);
}

const singular = ['code', 'state', 'iss', 'error', 'error_description', 'response'];

/** The four rows of RFC 9207 and the MCP specification; plain string comparison, and an empty `iss` is a wrong one. */
function judgeIssuer(
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

function refusal(
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
