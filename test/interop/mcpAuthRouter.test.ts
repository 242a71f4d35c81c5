import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock as clock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { callTool } from '../../src/notion/mcpClient.ts';
import { discover } from '../../src/oauth/discovery.ts';
import { register } from '../../src/oauth/registration.ts';
import { revoke } from '../../src/oauth/revocation.ts';
import { exchange, refresh } from '../../src/oauth/token.ts';
import { fails } from '../unit/oauth/failing.ts';
import { fetchHttp as http } from '../unit/oauth/fetchHttp.ts';
import { type Authorized, Authorizer } from './authorizer.ts';
import { browse } from './browser.ts';
import { startSdkServer } from './mcpAuthRouter.ts';

const redirectUri = 'vscode://seedling.notion-mcp-auth/callback?windowId=1';

async function start(t: TestContext) {
  const server = await startSdkServer(t);
  const authorizer = new Authorizer({
    http,
    serverUrl: server.mcp,
    redirectUri,
    browse: (url) => browse(url, redirectUri),
  });
  const signIn = () => authorizer.authorize(undefined);
  const whoami = ({ tokens }: Authorized) => callTool(http, server.mcp, tokens.accessToken, 'whoami', {});
  const renew = ({ server: as, client, tokens, resource }: Authorized) =>
    refresh(http, as, client, { refreshToken: tokens.refreshToken ?? new Secret(''), resource, clock });
  return { ...server, signIn, whoami, renew };
}

test('mcpAuthRouter: sign-in, though its issuer ends in a slash and its scope is empty; resource in all three (A5, A13)', async (t) => {
  const { mcp, signIn, whoami, renew, resources } = await start(t);
  const one = await signIn();
  assert.equal(one.server.issuer, `${mcp.origin}/`);
  assert.equal(one.tokens.scopes, undefined);
  assert.equal((await whoami(one)).text, 'ada');
  const tokens = await renew(one);
  assert.equal((await whoami({ ...one, tokens })).text, 'ada');
  assert.deepEqual(resources, [mcp.href, mcp.href, mcp.href]);
});

test('mcpAuthRouter: a refresh token used twice and a code used twice are over', async (t) => {
  const { signIn, renew } = await start(t);
  const one = await signIn();
  await renew(one);
  await fails(() => renew(one), 'invalidGrant', { code: 'invalid_grant', serverReason: 'unknown refresh token' });
  const { server, client, resource } = one;
  const spent = { code: new Secret('spent'), verifier: new Secret('v'), redirectUri, resource, clock };
  await fails(() => exchange(http, server, client, spent), 'invalidGrant', { code: 'invalid_grant' });
});

test('mcpAuthRouter: revocation ends the grant', async (t) => {
  const { signIn, renew, whoami } = await start(t);
  const one = await signIn();
  await revoke(http, one.server, one.client, {
    token: one.tokens.refreshToken ?? new Secret(''),
    hint: 'refresh_token',
  });
  await fails(() => renew(one), 'invalidGrant');
  await fails(() => whoami(one), 'serverRejected', { code: 'invalid_token', status: 401 });
});

test('mcpAuthRouter: a purged registration is known by invalid_client, though its status is 400', async (t) => {
  const { signIn, renew, clients } = await start(t);
  const one = await signIn();
  clients.clear();
  await fails(() => renew(one), 'invalidClient', { code: 'invalid_client', status: 400 });
});

test('mcpAuthRouter: the person’s no is a refusal', async (t) => {
  const { signIn, person } = await start(t);
  person.answer = 'deny';
  await fails(signIn, 'accessDenied');
});

test('mcpAuthRouter: too many registrations are answered 429, and we know when to come back', async (t) => {
  const { mcp } = await start(t);
  const { authorizationServer } = await discover(http, mcp);
  const one = { redirectUri, clientName: 'x' };
  for (let i = 0; i < 20; i++) {
    await register(http, authorizationServer, one);
  }
  await fails(() => register(http, authorizationServer, one), 'transient', {
    code: 'too_many_requests',
    status: 429,
    retryAfterMs: 3_600_000,
  });
});

test('mcpAuthRouter: its HTML 404 for anything else is nonsense, not a dead grant', async (t) => {
  const { signIn, renew, mcp } = await start(t);
  const one = await signIn();
  const elsewhere = { ...one.server, tokenEndpoint: `${mcp.origin}/nothing` };
  await fails(() => renew({ ...one, server: elsewhere }), 'invalidResponse', { status: 404 });
  const nowhere = new URL(`${mcp.origin}/elsewhere`);
  await fails(() => discover(http, nowhere), 'invalidResponse', { code: 'no_mcp_endpoint' });
});
