import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock as clock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Grant } from '../../src/grants/grant.ts';
import { withBearer } from '../../src/http/bearer.ts';
import { callTool } from '../../src/notion/mcpClient.ts';
import { discover } from '../../src/oauth/discovery.ts';
import { register } from '../../src/oauth/registration.ts';
import { revoke } from '../../src/oauth/revocation.ts';
import { refresh } from '../../src/oauth/token.ts';
import { fails } from '../unit/oauth/failing.ts';
import { fetchHttp as http } from '../unit/oauth/fetchHttp.ts';
import { HeadlessWindow } from './headlessWindow.ts';
import { startOidcProvider } from './oidcProvider.ts';

const redirectUri = 'vscode://seedling.notion-mcp-auth/callback?windowId=1';

async function start(t: TestContext) {
  const provider = await startOidcProvider();
  t.after(() => provider.close());
  const window = await HeadlessWindow.open({ serverUrl: provider.mcp, redirectUri });
  t.after(() => window.close());
  const signIn = () => window.signIn();
  const whoami = ({ tokens }: Grant) => callTool(withBearer(http, tokens.accessToken), provider.mcp, 'whoami', {});
  const renew = ({ authorizationServer, client, tokens, resource }: Grant, refreshToken = tokens.refreshToken) =>
    refresh(http, authorizationServer, client, { refreshToken: refreshToken ?? new Secret(''), resource, clock });
  return { ...provider, signIn, whoami, renew };
}

test('oidc-provider: a sign-in returns tokens for the requested resource, with a refresh token (A12, A13, A16, A20)', async (t) => {
  const { signIn, whoami, origin } = await start(t);
  const authorized = await signIn();
  assert.equal(authorized.authorizationServer.issuer, origin);
  assert.equal(authorized.authorizationServer.issParameterSupported, true);
  assert.equal(authorized.client.authMethod, 'none');
  assert.notEqual(authorized.tokens.refreshToken, undefined);
  assert.deepEqual(authorized.tokens.scopes, ['read']);
  assert.equal((await whoami(authorized)).text, 'ada');
});

test('oidc-provider: a refresh rotates the refresh token, and the new tokens work', async (t) => {
  const { signIn, whoami, renew } = await start(t);
  const authorized = await signIn();
  const tokens = await renew(authorized);
  assert.equal(tokens.refreshToken?.equals(authorized.tokens.refreshToken ?? new Secret('')), false);
  assert.equal((await whoami({ ...authorized, tokens })).text, 'ada');
  await renew({ ...authorized, tokens });
});

test('oidc-provider: the second use of a refresh token ends the grant and its access tokens', async (t) => {
  const { signIn, whoami, renew } = await start(t);
  const authorized = await signIn();
  const tokens = await renew(authorized);
  await fails(() => renew(authorized), 'invalidGrant', { code: 'invalid_grant', status: 400 });
  await fails(() => renew({ ...authorized, tokens }), 'invalidGrant', { code: 'invalid_grant' });
  await fails(() => whoami({ ...authorized, tokens }), 'serverRejected', { code: 'invalid_token', status: 401 });
});

test('oidc-provider: a revoked grant can be neither renewed nor used, and revoking it again succeeds', async (t) => {
  const { signIn, whoami, renew } = await start(t);
  const authorized = await signIn();
  const token = authorized.tokens.refreshToken ?? new Secret('');
  await revoke(http, authorized.authorizationServer, authorized.client, { token, hint: 'refresh_token' });
  await fails(() => renew(authorized), 'invalidGrant');
  await fails(() => whoami(authorized), 'serverRejected', { code: 'invalid_token' });
  await revoke(http, authorized.authorizationServer, authorized.client, { token, hint: 'refresh_token' });
});

test('oidc-provider: a purged client registration is reported as invalidClient, not as invalidGrant', async (t) => {
  const { signIn, renew, purge } = await start(t);
  const authorized = await signIn();
  await purge(authorized.client.clientId);
  await fails(() => renew(authorized), 'invalidClient', { code: 'invalid_client', status: 401 });
});

test('oidc-provider: a sign-in that the user denies fails with accessDenied, and a second sign-in works', async (t) => {
  const { signIn, user } = await start(t);
  user.decision = 'deny';
  await fails(signIn, 'accessDenied', { code: 'access_denied', serverReason: 'Ada said no' });
  user.decision = 'allow';
  await signIn();
});

test('oidc-provider: each kind of redirect URI is registered with an application type that the server accepts (A27)', async (t) => {
  const { mcp } = await start(t);
  const { authorizationServer } = await discover(http, mcp);
  for (const uri of [redirectUri, 'http://127.0.0.1:1234/callback', 'https://vscode.dev/callback']) {
    await register(http, authorizationServer, { redirectUri: uri, clientName: 'x' });
  }
  // Rejected for a native application, where http is only for loopback, and accepted for a web application.
  await register(http, authorizationServer, { redirectUri: 'http://code.example.com/callback', clientName: 'x' });
  const withFragment = { redirectUri: 'https://vscode.dev/callback#x', clientName: 'x' };
  await fails(() => register(http, authorizationServer, withFragment), 'serverRejected', {
    code: 'invalid_redirect_uri',
  });
});
