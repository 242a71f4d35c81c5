import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock as clock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { callTool } from '../../src/notion/mcpClient.ts';
import { discover } from '../../src/oauth/discovery.ts';
import { register } from '../../src/oauth/registration.ts';
import { revoke } from '../../src/oauth/revocation.ts';
import { refresh } from '../../src/oauth/token.ts';
import { fails } from '../unit/oauth/failing.ts';
import { fetchHttp as http } from '../unit/oauth/fetchHttp.ts';
import { type Authorized, Authorizer } from './authorizer.ts';
import { browse } from './browser.ts';
import { startOidcProvider } from './oidcProvider.ts';

const redirectUri = 'vscode://seedling.notion-mcp-auth/callback?windowId=1';

async function start(t: TestContext) {
  const provider = await startOidcProvider();
  t.after(() => provider.close());
  const authorizer = new Authorizer({
    http,
    serverUrl: provider.mcp,
    redirectUri,
    browse: (url) => browse(url, redirectUri),
  });
  const signIn = () => authorizer.authorize(undefined);
  const whoami = ({ tokens }: Authorized) => callTool(http, provider.mcp, tokens.accessToken, 'whoami', {});
  const renew = ({ server, client, tokens, resource }: Authorized, refreshToken = tokens.refreshToken) =>
    refresh(http, server, client, { refreshToken: refreshToken ?? new Secret(''), resource, clock });
  return { ...provider, signIn, whoami, renew };
}

test('oidc-provider: sign-in gives tokens for our resource, with a refresh token (A12, A13, A16, A20)', async (t) => {
  const { signIn, whoami, origin } = await start(t);
  const one = await signIn();
  assert.equal(one.server.issuer, origin);
  assert.equal(one.server.issParameterSupported, true);
  assert.equal(one.client.authMethod, 'none');
  assert.notEqual(one.tokens.refreshToken, undefined);
  assert.deepEqual(one.tokens.scopes, ['read']);
  assert.equal((await whoami(one)).text, 'ada');
});

test('oidc-provider: a refresh rotates, and the new tokens work', async (t) => {
  const { signIn, whoami, renew } = await start(t);
  const one = await signIn();
  const tokens = await renew(one);
  assert.equal(tokens.refreshToken?.equals(one.tokens.refreshToken ?? new Secret('')), false);
  assert.equal((await whoami({ ...one, tokens })).text, 'ada');
  await renew({ ...one, tokens });
});

test('oidc-provider: a refresh token used twice ends the grant, and its access tokens with it', async (t) => {
  const { signIn, whoami, renew } = await start(t);
  const one = await signIn();
  const tokens = await renew(one);
  await fails(() => renew(one), 'invalidGrant', { code: 'invalid_grant', status: 400 });
  await fails(() => renew({ ...one, tokens }), 'invalidGrant', { code: 'invalid_grant' });
  await fails(() => whoami({ ...one, tokens }), 'serverRejected', { code: 'invalid_token', status: 401 });
});

test('oidc-provider: a revoked grant is over', async (t) => {
  const { signIn, whoami, renew } = await start(t);
  const one = await signIn();
  const token = one.tokens.refreshToken ?? new Secret('');
  await revoke(http, one.server, one.client, { token, hint: 'refresh_token' });
  await fails(() => renew(one), 'invalidGrant');
  await fails(() => whoami(one), 'serverRejected', { code: 'invalid_token' });
  await revoke(http, one.server, one.client, { token, hint: 'refresh_token' });
});

test('oidc-provider: a purged registration is told from a dead grant', async (t) => {
  const { signIn, renew, purge } = await start(t);
  const one = await signIn();
  await purge(one.client.clientId);
  await fails(() => renew(one), 'invalidClient', { code: 'invalid_client', status: 401 });
});

test('oidc-provider: the person’s no is a refusal, and a second try works', async (t) => {
  const { signIn, person } = await start(t);
  person.answer = 'deny';
  await fails(signIn, 'accessDenied', { code: 'access_denied', serverReason: 'Ada said no' });
  person.answer = 'allow';
  await signIn();
});

test('oidc-provider: each kind of redirect is registered as the type it takes it for (A27)', async (t) => {
  const { mcp } = await start(t);
  const { authorizationServer } = await discover(http, mcp);
  for (const uri of [redirectUri, 'http://127.0.0.1:1234/callback', 'https://vscode.dev/callback']) {
    await register(http, authorizationServer, { redirectUri: uri, clientName: 'x' });
  }
  // Refused as native, where http is for loopback, and taken as web.
  await register(http, authorizationServer, { redirectUri: 'http://code.example.com/callback', clientName: 'x' });
  const fragment = { redirectUri: 'https://vscode.dev/callback#x', clientName: 'x' };
  await fails(() => register(http, authorizationServer, fragment), 'serverRejected', { code: 'invalid_redirect_uri' });
});
