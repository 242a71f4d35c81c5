import { revocationRequest } from 'oauth4webapi';
import type { Secret } from '../core/secret.ts';
import type { Http } from '../http/client.ts';
import { responseFailure } from './errorResponse.ts';
import { Failure } from './errors.ts';
import { asLibraryServer, clientAuthentication, secretsOf, sendOver } from './library.ts';
import type { AuthorizationServer, Client } from './model.ts';

export interface Revocation {
  token: Secret;
  hint: 'access_token' | 'refresh_token';
  signal?: AbortSignal;
}

/**
 * Revokes a token (RFC 7009). A token that the server no longer recognizes counts as revoked.
 * @throws Failure if the request fails; `invalidResponse` with code `no_revocation_endpoint` if the server has no
 *   revocation endpoint
 */
export async function revoke(
  http: Http,
  server: AuthorizationServer,
  client: Client,
  { token, hint, signal }: Revocation,
): Promise<void> {
  if (server.revocationEndpoint === undefined) {
    throw new Failure('invalidResponse', {
      step: 'revocation',
      code: 'no_revocation_endpoint',
      missing: 'revocation_endpoint',
      host: new URL(server.issuer).host,
    });
  }
  const response = await revocationRequest(
    asLibraryServer(server),
    { client_id: client.clientId },
    clientAuthentication(client),
    token.reveal(),
    {
      ...sendOver(http, { step: 'revocation', privateAddresses: server.onPrivateNetwork ? 'allow' : 'refuse', signal }),
      additionalParameters: { token_type_hint: hint },
    },
  );
  const failure = responseFailure(response, await response.text(), {
    step: 'revocation',
    host: new URL(server.revocationEndpoint).host,
    sent: secretsOf(client, [token]),
  });
  if (failure !== undefined && failure.kind !== 'invalidGrant' && failure.details.code !== 'invalid_token') {
    throw failure;
  }
}
