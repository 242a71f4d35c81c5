import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Secret } from '../../src/core/secret.ts';
import { withBearer } from '../../src/http/bearer.ts';
import type { Http, HttpResponse } from '../../src/http/client.ts';
import { HttpFailure, type HttpFailureKind } from '../../src/http/errors.ts';
import { isSecure } from '../../src/http/url.ts';
import { callTool } from '../../src/notion/mcpClient.ts';
import { discover } from '../../src/oauth/discovery.ts';
import type { Client } from '../../src/oauth/model.ts';
import { register } from '../../src/oauth/registration.ts';
import { revoke } from '../../src/oauth/revocation.ts';
import { exchange, refresh } from '../../src/oauth/token.ts';
import { FakeClock } from '../unit/fakeClock.ts';
import {
  document,
  errorResponse,
  origin,
  redirectUri,
  registrationResponse,
  response,
  secrets,
  shortSecret,
  tokenResponse,
} from './inputs.ts';
import { attempt, type Property, property, server } from './property.ts';
import { challengeHeader } from './textProperties.ts';

const serverUrl = new URL(`${origin}/mcp`);
const clock = new FakeClock();
const client: Client = {
  clientId: 'client',
  clientSecret: new Secret(shortSecret),
  authMethod: 'client_secret_post',
};

/** The headers of a challenge; none if the text cannot be the value of one. */
function challengeHeaders(challenge: string): Headers {
  try {
    return new Headers({ 'www-authenticate': challenge });
  } catch {
    return new Headers();
  }
}

/** The properties of what reads a server's responses. */
export const responseProperties: Property[] = [
  property(
    'discovery returns only secure endpoints, from the metadata of their issuer, and only our resource',
    [
      challengeHeader,
      fc.array(
        response(
          document({
            resource: [serverUrl.href, origin, `${origin}/mcp/`],
            authorization_servers: [[origin], [`${origin}/tenant`]],
            scopes_supported: [['a'], []],
          }),
          document({
            issuer: [origin, `${origin}/`, `${origin}/tenant`],
            authorization_endpoint: [`${origin}/authorize`],
            token_endpoint: [`${origin}/token`],
            registration_endpoint: [`${origin}/register`],
            revocation_endpoint: [`${origin}/revoke`],
            code_challenge_methods_supported: [['S256'], ['plain', 'S256']],
            authorization_response_iss_parameter_supported: [true, false],
            token_endpoint_auth_methods_supported: [['none']],
          }),
        ),
        { minLength: 1, maxLength: 8 },
      ),
    ],
    async (challenge, responses) => {
      const requested: URL[] = [];
      const headers = challengeHeaders(challenge);
      const unauthorized: HttpResponse = { status: 401, headers, body: '', url: serverUrl };
      const found = await attempt(() => discover(scripted([unauthorized, ...responses], requested), serverUrl));
      assert.ok(requested.every(isSecure) && requested.length < 20);
      if (found === undefined) {
        return;
      }
      const { authorizationServer: as, resource } = found;
      for (const endpoint of [
        as.authorizationEndpoint,
        as.tokenEndpoint,
        as.registrationEndpoint,
        as.revocationEndpoint,
      ]) {
        assert.ok(endpoint === undefined || isSecure(new URL(endpoint)), endpoint);
      }
      assert.equal(new URL(resource).origin, origin);
      assert.ok(serverUrl.href.startsWith(resource));
      // The metadata came from a well-known URL on the issuer's own origin.
      const issuer = new URL(as.issuer);
      const wellKnown = (url: URL) => url.origin === issuer.origin && url.pathname.includes('.well-known/');
      assert.ok(requested.some(wellKnown), as.issuer);
    },
  ),
  property(
    'a registration returns a client that can authenticate',
    [response(registrationResponse, errorResponse)],
    async (input) => {
      const registered = await attempt(() => register(scripted([input]), server, { redirectUri, clientName: 'x' }));
      if (registered !== undefined) {
        assert.notEqual(registered.clientId, '');
        assert.ok(registered.authMethod === 'none' || registered.clientSecret !== undefined);
      }
    },
  ),
  property(
    'a token response yields tokens that can be sent, or a failure without secrets',
    [response(tokenResponse, errorResponse), fc.boolean()],
    async (input, isExchange) => {
      const http = scripted([input]);
      const resource = serverUrl.href;
      const send = () =>
        isExchange
          ? exchange(http, server, client, {
              code: new Secret(secrets.code),
              verifier: new Secret(secrets.verifier),
              redirectUri,
              resource,
              clock,
            })
          : refresh(http, server, client, { refreshToken: new Secret(secrets.refreshToken), resource, clock });
      const tokens = await attempt(send, shortSecret);
      if (tokens !== undefined) {
        new Headers({ authorization: `Bearer ${tokens.accessToken.reveal()}` });
        assert.notEqual(tokens.accessToken.reveal(), '');
        assert.notEqual(tokens.refreshToken?.reveal(), '');
        const lifetime = tokens.expiresInSeconds;
        assert.ok(lifetime === undefined || (Number.isSafeInteger(lifetime) && lifetime > 0));
        assert.ok(tokens.scopes === undefined || tokens.scopes.length > 0);
      }
    },
  ),
  property(
    'a revocation succeeds or fails without secrets in the failure',
    [response(errorResponse)],
    async (input) => {
      const revocation = { token: new Secret(secrets.refreshToken), hint: 'refresh_token' } as const;
      await attempt(() => revoke(scripted([input]), server, client, revocation), shortSecret);
    },
  ),
  property(
    'a tool call returns a result or a failure without secrets',
    [
      fc.array(
        response(
          document({
            jsonrpc: ['2.0'],
            id: [0, 1],
            result: [{ content: [{ type: 'text', text: 'x' }] }, { content: 7 }],
            error: [{ code: 1, message: `no ${secrets.accessToken}` }],
          }),
          errorResponse,
        ),
        { minLength: 1, maxLength: 4 },
      ),
    ],
    async (responses) => {
      const accessToken = new Secret(secrets.accessToken);
      const result = await attempt(() => callTool(withBearer(scripted(responses), accessToken), serverUrl, 'x', {}));
      assert.ok(result === undefined || typeof result.text === 'string');
    },
  ),
];

/**
 * An `Http` that repeats `responses`: real sockets are too slow for a million responses. Records URLs in `requested`.
 */
export function scripted(responses: readonly (HttpResponse | HttpFailureKind)[], requested: URL[] = []): Http {
  let next = 0;
  return async ({ url }) => {
    requested.push(url);
    const result = responses[next % responses.length];
    next += 1;
    if (result === undefined || typeof result === 'string') {
      throw new HttpFailure(result ?? 'unreachable', url.host);
    }
    return result;
  };
}
