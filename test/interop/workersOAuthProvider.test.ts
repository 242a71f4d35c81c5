import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock as clock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Grant } from '../../src/grants/grant.ts';
import { withBearer } from '../../src/http/bearer.ts';
import { type Identity, readIdentity } from '../../src/notion/identity.ts';
import { discover } from '../../src/oauth/discovery.ts';
import { register } from '../../src/oauth/registration.ts';
import { revoke } from '../../src/oauth/revocation.ts';
import { refresh } from '../../src/oauth/token.ts';
import { fails } from '../unit/oauth/failing.ts';
import { fetchHttp as http } from '../unit/oauth/fetchHttp.ts';
import { HeadlessWindow } from './headlessWindow.ts';
import { startWorkersServer } from './workersOAuthProvider.ts';

const ada: Identity = { userId: 'u-1', userName: 'Ada', workspaceId: 'w-1', workspaceName: 'Wiki' };
const vscode = 'vscode://seedling.notion-mcp-auth/callback?windowId=1';
const loopback = 'http://127.0.0.1:33418/callback';

const versions = [
  { version: '0.8.3', library: 'workers-oauth-provider-today', redirectUri: vscode },
  { version: '1.2.3', library: 'workers-oauth-provider-next', redirectUri: loopback },
];

for (const { version, library, redirectUri } of versions) {
  const start = async (t: TestContext) => {
    const server = await startWorkersServer(t, library);
    const window = await HeadlessWindow.open({ serverUrl: server.mcp, redirectUri });
    t.after(() => window.close());
    const signIn = () => window.signIn();
    const whoami = ({ tokens }: Grant) => readIdentity(withBearer(http, tokens.accessToken), server.mcp);
    const renew = async (authorized: Grant): Promise<Grant> => {
      const { authorizationServer: as, client, tokens, resource } = authorized;
      const refreshToken = tokens.refreshToken ?? new Secret('');
      return { ...authorized, tokens: await refresh(http, as, client, { refreshToken, resource, clock }) };
    };
    return { ...server, signIn, whoami, renew };
  };

  test(`workers-oauth-provider ${version}: a sign-in gets tokens and the identity, and can be renewed twice`, async (t) => {
    const { mcp, signIn, whoami, renew } = await start(t);
    const authorized = await signIn();
    assert.equal(authorized.resource, mcp.href);
    assert.equal(authorized.client.authMethod, 'none');
    assert.equal(authorized.tokens.expiresInSeconds, 3600);
    assert.deepEqual(await whoami(authorized), ada);
    const renewed = await renew(authorized);
    assert.deepEqual(await whoami(renewed), ada);
    assert.deepEqual(await whoami(await renew(renewed)), ada);
  });

  test(`workers-oauth-provider ${version}: a refresh token works until its successor is used, and fails afterwards`, async (t) => {
    const { signIn, renew } = await start(t);
    const authorized = await signIn();
    await renew(authorized);
    const renewed = await renew(authorized);
    await renew(renewed);
    await fails(() => renew(authorized), 'invalidGrant', { code: 'invalid_grant', status: 400 });
  });

  test(`workers-oauth-provider ${version}: a revoked grant can no longer be renewed, and the MCP server rejects its access token`, async (t) => {
    const { signIn, renew, whoami } = await start(t);
    const authorized = await signIn();
    const token = authorized.tokens.refreshToken ?? new Secret('');
    await revoke(http, authorized.authorizationServer, authorized.client, { token, hint: 'refresh_token' });
    await fails(() => renew(authorized), 'invalidGrant', { code: 'invalid_grant' });
    await fails(() => whoami(authorized), 'serverRejected', { code: 'invalid_token', status: 401 });
  });

  test(`workers-oauth-provider ${version}: a purged client registration is reported as invalidClient, not as invalidGrant`, async (t) => {
    const { signIn, renew, purge } = await start(t);
    const authorized = await signIn();
    await purge();
    await fails(() => renew(authorized), 'invalidClient', { code: 'invalid_client', status: 401 });
  });

  test(`workers-oauth-provider ${version}: a sign-in that the user denies fails with accessDenied, and a second sign-in works`, async (t) => {
    const { signIn, setDecision } = await start(t);
    await setDecision('deny');
    await fails(signIn, 'accessDenied', { code: 'access_denied' });
    await setDecision('allow');
    await signIn();
  });
}

test('workers-oauth-provider 0.8.3 accepts vscode:// redirect URIs and sends no iss, and 1.2.3 rejects them and sends iss (A9, A12)', async (t) => {
  const registration = { redirectUri: vscode, clientName: 'x' };
  const today = await startWorkersServer(t, 'workers-oauth-provider-today');
  const todayDiscovery = await discover(http, today.mcp);
  assert.equal(todayDiscovery.authorizationServer.issParameterSupported, undefined);
  await register(http, todayDiscovery.authorizationServer, registration);
  const next = await startWorkersServer(t, 'workers-oauth-provider-next');
  const nextDiscovery = await discover(http, next.mcp);
  assert.equal(nextDiscovery.authorizationServer.issParameterSupported, true);
  await fails(() => register(http, nextDiscovery.authorizationServer, registration), 'serverRejected', {
    code: 'invalid_redirect_uri',
    serverReason: 'Redirect URI must use https, or http on a loopback host',
  });
});
