import * as oauth from 'oauth4webapi';
import type { Secret } from '../core/secret.ts';
import type { Http, HttpResponse } from '../http/client.ts';
import { transportFailure } from './errorResponse.ts';
import type { FailureStep } from './errors.ts';
import type { AuthorizationServer, Client } from './model.ts';

export interface SendOptions {
  step: FailureStep;
  privateAddresses: 'allow' | 'refuse';
  signal?: AbortSignal | undefined;
  /** The time limit for the whole response. Default: that of `Http`. */
  deadlineMs?: number;
}

/** The options with which oauth4webapi sends its requests. */
export interface LibraryOptions {
  [oauth.customFetch]: (
    url: string,
    init: oauth.CustomFetchOptions<'POST', URLSearchParams | string>,
  ) => Promise<Response>;
  [oauth.allowInsecureRequests]: true;
}

/** Makes oauth4webapi send a request over `http`. The request rejects with a `Failure` if there is no response. */
export function sendOver(http: Http, { step, privateAddresses, signal, deadlineMs }: SendOptions): LibraryOptions {
  return {
    // `Http` itself refuses http beyond loopback.
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: async (url, { headers, body }) => {
      const { 'user-agent': _libraryUserAgent, ...ownHeaders } = headers;
      try {
        const response = await http({
          method: 'POST',
          url: new URL(url),
          headers: ownHeaders,
          body: String(body),
          redirects: 'refuse',
          privateAddresses,
          ...(signal && { signal }),
          ...(deadlineMs !== undefined && { deadlineMs }),
        });
        return asResponse(response);
      } catch (error) {
        throw transportFailure(error, step);
      }
    },
  };
}

/** A status outside 200 to 599, which `Response` does not accept, counts as 500 (RFC 9110 section 15). */
function asResponse({ status, headers, body }: HttpResponse): Response {
  const accepted = status >= 200 && status <= 599 ? status : 500;
  return new Response([204, 205, 304].includes(accepted) ? null : body, { status: accepted, headers });
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

/** The secrets of a request, to be redacted if the server quotes them: `sent` and the client secret. */
export function secretsOf({ clientSecret }: Client, sent: Secret[]): Secret[] {
  return clientSecret === undefined ? sent : [...sent, clientSecret];
}
