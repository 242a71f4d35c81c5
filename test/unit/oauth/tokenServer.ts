import type { TestContext } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { AuthorizationServer, Client } from '../../../src/oauth/model.ts';
import { revoke } from '../../../src/oauth/revocation.ts';
import { exchange, refresh } from '../../../src/oauth/token.ts';
import { FakeClock } from '../fakeClock.ts';
import { fetchHttp } from './fetchHttp.ts';
import { type LoopbackServer, type Route, type RouteResponse, startServer } from './loopbackServer.ts';

export const clock = new FakeClock();
export const publicClient: Client = { clientId: 'client-1', authMethod: 'none' };
export const resource = 'https://mcp.example/mcp';
export const refreshToken = new Secret('user:grant:refresh-1');

export interface TokenServer extends LoopbackServer {
  as: AuthorizationServer;
  exchange(client?: Client): ReturnType<typeof exchange>;
  refresh(client?: Client): ReturnType<typeof refresh>;
  revoke(client?: Client): ReturnType<typeof revoke>;
}

/** An authorization server whose token and revocation endpoint responds with `route`. */
export async function tokenServer(t: TestContext, route: Route): Promise<TokenServer> {
  const server = await startServer(t);
  const { origin } = server;
  server.routes['POST /token'] = route;
  const as: AuthorizationServer = {
    issuer: origin,
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    revocationEndpoint: `${origin}/token`,
    onPrivateNetwork: true,
  };
  return {
    ...server,
    as,
    exchange: (client = publicClient) =>
      exchange(fetchHttp, as, client, {
        code: new Secret('user:grant:code+/%'),
        verifier: new Secret('verifier-1'),
        redirectUri: 'vscode://x/callback?windowId=1',
        resource,
        clock,
      }),
    refresh: (client = publicClient) => refresh(fetchHttp, as, client, { refreshToken, resource, clock }),
    revoke: (client = publicClient) => revoke(fetchHttp, as, client, { token: refreshToken, hint: 'refresh_token' }),
  };
}

/** A response with new tokens. */
export const granted = (more: Record<string, unknown> = {}): RouteResponse => ({
  body: { access_token: 'user:grant:access-2', token_type: 'bearer', expires_in: 3600, ...more },
});
