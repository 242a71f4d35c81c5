import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock as clock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { type Identity, readIdentity } from '../../src/notion/identity.ts';
import { discover } from '../../src/oauth/discovery.ts';
import { register } from '../../src/oauth/registration.ts';
import { revoke } from '../../src/oauth/revocation.ts';
import { refresh } from '../../src/oauth/token.ts';
import { fails } from '../unit/oauth/failing.ts';
import { fetchHttp as http } from '../unit/oauth/fetchHttp.ts';
import { type Authorized, Authorizer } from './authorizer.ts';
import { browse } from './browser.ts';
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
    const authorizer = new Authorizer({
      http,
      serverUrl: server.mcp,
      redirectUri,
      browse: (url) => browse(url, redirectUri),
    });
    const signIn = () => authorizer.authorize(undefined);
    const whoami = ({ tokens }: Authorized) => readIdentity(http, server.mcp, tokens.accessToken);
    const renew = async (one: Authorized): Promise<Authorized> => {
      const { server: as, client, tokens, resource } = one;
      const refreshToken = tokens.refreshToken ?? new Secret('');
      return { ...one, tokens: await refresh(http, as, client, { refreshToken, resource, clock }) };
    };
    return { ...server, signIn, whoami, renew };
  };

  test(`workers-oauth-provider ${version}: sign-in, identity and renewals`, async (t) => {
    const { mcp, signIn, whoami, renew } = await start(t);
    const one = await signIn();
    assert.equal(one.resource, mcp.href);
    assert.equal(one.client.authMethod, 'none');
    assert.equal(one.tokens.expiresInSeconds, 3600);
    assert.deepEqual(await whoami(one), ada);
    const two = await renew(one);
    assert.deepEqual(await whoami(two), ada);
    assert.deepEqual(await whoami(await renew(two)), ada);
  });

  test(`workers-oauth-provider ${version}: a refresh token counts until its successor is used, then it is over`, async (t) => {
    const { signIn, renew } = await start(t);
    const one = await signIn();
    await renew(one);
    const two = await renew(one);
    await renew(two);
    await fails(() => renew(one), 'invalidGrant', { code: 'invalid_grant', status: 400 });
  });

  test(`workers-oauth-provider ${version}: a revoked grant is over, at the MCP server too`, async (t) => {
    const { signIn, renew, whoami } = await start(t);
    const one = await signIn();
    const token = one.tokens.refreshToken ?? new Secret('');
    await revoke(http, one.server, one.client, { token, hint: 'refresh_token' });
    await fails(() => renew(one), 'invalidGrant', { code: 'invalid_grant' });
    await fails(() => whoami(one), 'serverRejected', { code: 'invalid_token', status: 401 });
  });

  test(`workers-oauth-provider ${version}: a purged registration is told from a dead grant`, async (t) => {
    const { signIn, renew, purge } = await start(t);
    const one = await signIn();
    await purge();
    await fails(() => renew(one), 'invalidClient', { code: 'invalid_client', status: 401 });
  });

  test(`workers-oauth-provider ${version}: the person’s no is a refusal, and a second try works`, async (t) => {
    const { signIn, person } = await start(t);
    await person('deny');
    await fails(signIn, 'accessDenied', { code: 'access_denied' });
    await person('allow');
    await signIn();
  });
}

test('workers-oauth-provider 0.8.3 takes vscode:// and sends no iss; 1.2.3 refuses the one and sends the other (A9, A12)', async (t) => {
  const one = { redirectUri: vscode, clientName: 'x' };
  const today = await startWorkersServer(t, 'workers-oauth-provider-today');
  const before = await discover(http, today.mcp);
  assert.equal(before.authorizationServer.issParameterSupported, undefined);
  await register(http, before.authorizationServer, one);
  const next = await startWorkersServer(t, 'workers-oauth-provider-next');
  const after = await discover(http, next.mcp);
  assert.equal(after.authorizationServer.issParameterSupported, true);
  await fails(() => register(http, after.authorizationServer, one), 'serverRejected', {
    code: 'invalid_redirect_uri',
    serverReason: 'Redirect URI must use https, or http on a loopback host',
  });
});
