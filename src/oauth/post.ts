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

/** What oauth4webapi is told to send with; `allowInsecureRequests` because `Http` itself refuses http beyond loopback. */
export interface LibraryOptions {
  [oauth.customFetch]: (
    url: string,
    init: oauth.CustomFetchOptions<'POST', URLSearchParams | string>,
  ) => Promise<Response>;
  [oauth.allowInsecureRequests]: true;
}

/**
 * Sends the request that `build` makes with oauth4webapi through our `Http`, and returns our answer: its status may be
 * one that `Response` does not take, and its body is judged before oauth4webapi sees it.
 * @throws Failure
 */
export async function postThroughLibrary(
  http: Http,
  { step, privateAddresses, signal }: SendOptions,
  build: (options: LibraryOptions) => Promise<unknown>,
): Promise<HttpResponse> {
  let answer: HttpResponse | undefined;
  try {
    await build({
      [oauth.allowInsecureRequests]: true,
      [oauth.customFetch]: async (url, { headers, body }) => {
        const { 'user-agent': _itsOwn, ...ours } = headers;
        answer = await http({
          method: 'POST',
          url: new URL(url),
          headers: ours,
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
  if (answer === undefined) {
    throw new Failure('invalidResponse', { step, code: 'nothing_sent' });
  }
  return answer;
}

/** Our stored view of a server in the library's words. */
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

/** How the client proves who it is: one way at a time, the one that registration answered. */
export function clientAuthentication({ authMethod, clientSecret }: Client): oauth.ClientAuth {
  if (authMethod === 'none' || clientSecret === undefined) {
    return oauth.None();
  }
  const secret = clientSecret.reveal();
  return authMethod === 'client_secret_basic' ? basic(secret) : oauth.ClientSecretPost(secret);
}

/**
 * RFC 6749 section 2.3.1 in its plain reading: form encoding leaves `-`, `.` and `_` as they are. The library encodes
 * them too, which servers that do not decode take for another client (the conformance suite's is one).
 */
function basic(secret: string): oauth.ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) => {
    headers.set('authorization', `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(secret)}`)}`);
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** A success that we have judged, for the library's own checks. */
export function libraryResponse(fields: Record<string, unknown>, status: 200 | 201): Response {
  return new Response(JSON.stringify(fields), { status, headers: { 'content-type': 'application/json' } });
}

/** What a request held that no server may get shown: `sent`, and the client’s own secret. */
export function secretsOf({ clientSecret }: Client, sent: Secret[]): Secret[] {
  return clientSecret === undefined ? sent : [...sent, clientSecret];
}
