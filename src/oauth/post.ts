import * as oauth from 'oauth4webapi';
import type { Secret } from '../core/secret.ts';
import type { Http, HttpResponse } from '../http/client.ts';
import { transportFailure } from './errorResponse.ts';
import { Failure, type FailureStep } from './errors.ts';
import type { AuthorizationServer, Client } from './model.ts';

export interface SendOptions {
  step: FailureStep;
  privateAddresses: 'allow' | 'refuse';
  signal?: AbortSignal;
}

/**
 * The options passed to oauth4webapi. Insecure requests are allowed because `Http` itself refuses http beyond loopback.
 */
export interface LibraryOptions {
  [oauth.customFetch]: (
    url: string,
    init: oauth.CustomFetchOptions<'POST', URLSearchParams | string>,
  ) => Promise<Response>;
  [oauth.allowInsecureRequests]: true;
}

/**
 * Sends the request that `build` creates with oauth4webapi through our `Http` and returns the `HttpResponse`. The
 * library itself gets an empty response: we classify the real one first, and its status may be one that `Response` does
 * not accept.
 * @throws Failure if the request fails
 */
export async function postThroughLibrary(
  http: Http,
  { step, privateAddresses, signal }: SendOptions,
  build: (options: LibraryOptions) => Promise<unknown>,
): Promise<HttpResponse> {
  let response: HttpResponse | undefined;
  try {
    await build({
      [oauth.allowInsecureRequests]: true,
      [oauth.customFetch]: async (url, { headers, body }) => {
        const { 'user-agent': _libraryUserAgent, ...ownHeaders } = headers;
        response = await http({
          method: 'POST',
          url: new URL(url),
          headers: ownHeaders,
          body: String(body),
          redirects: 'refuse',
          privateAddresses,
          ...(signal && { signal }),
        });
        return new Response();
      },
    });
  } catch (error) {
    throw transportFailure(error, step);
  }
  if (response === undefined) {
    throw new Failure('invalidResponse', { step, code: 'nothing_sent' });
  }
  return response;
}

/** Converts our model of an authorization server to oauth4webapi's. */
export function asLibraryServer(server: AuthorizationServer): oauth.AuthorizationServer {
  return {
    issuer: server.issuer,
    authorization_endpoint: server.authorizationEndpoint,
    token_endpoint: server.tokenEndpoint,
    ...(server.registrationEndpoint !== undefined && { registration_endpoint: server.registrationEndpoint }),
    ...(server.revocationEndpoint !== undefined && { revocation_endpoint: server.revocationEndpoint }),
    ...(server.issParameterSupported !== undefined && {
      authorization_response_iss_parameter_supported: server.issParameterSupported,
    }),
  };
}

/** Client authentication with exactly one method: the one that the registration response named. */
export function clientAuthentication({ authMethod, clientSecret }: Client): oauth.ClientAuth {
  if (authMethod === 'none' || clientSecret === undefined) {
    return oauth.None();
  }
  const secret = clientSecret.reveal();
  return authMethod === 'client_secret_basic' ? basic(secret) : oauth.ClientSecretPost(secret);
}

/**
 * HTTP Basic authentication as RFC 6749 section 2.3.1 defines it: form encoding leaves `-`, `.` and `_` unchanged. The
 * library encodes these too, and servers that do not decode, such as the conformance suite's, see a different client.
 */
function basic(secret: string): oauth.ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) => {
    headers.set('authorization', `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(secret)}`)}`);
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** A successful response, after our own checks, for oauth4webapi to validate. */
export function libraryResponse(fields: Record<string, unknown>, status: 200 | 201): Response {
  return new Response(JSON.stringify(fields), { status, headers: { 'content-type': 'application/json' } });
}

/** The secrets of a request, to be redacted if the server quotes them: `sent` and the client secret. */
export function secretsOf({ clientSecret }: Client, sent: Secret[]): Secret[] {
  return clientSecret === undefined ? sent : [...sent, clientSecret];
}
