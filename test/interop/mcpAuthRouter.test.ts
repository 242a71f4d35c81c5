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
import { exchange, refresh } from '../../src/oauth/token.ts';
import { fails } from '../unit/oauth/failing.ts';
import { fetchHttp as http } from '../unit/oauth/fetchHttp.ts';
import { HeadlessWindow } from './headlessWindow.ts';
import { startSdkServer } from './mcpAuthRouter.ts';

const redirectUri = 'vscode://seedling.notion-mcp-auth/callback?windowId=1';

async function start(t: TestContext) {
  const server = await startSdkServer(t);
  const window = await HeadlessWindow.open({ serverUrl: server.mcp, redirectUri });
  t.after(() => window.close());
  const signIn = () => window.signIn();
  const whoami = ({ tokens }: Grant) => callTool(withBearer(http, tokens.accessToken), server.mcp, 'whoami', {});
  const renew = ({ authorizationServer: as, client, tokens, resource }: Grant) =>
    refresh(http, as, client, { refreshToken: tokens.refreshToken ?? new Secret(''), resource, clock });
  return { ...server, signIn, whoami, renew };
}

test('mcpAuthRouter: a sign-in works with an issuer that ends in a slash and an empty scope, and all three requests name the resource (A5, A13)', async (t) => {
  const { mcp, signIn, whoami, renew, resources } = await start(t);
  const authorized = await signIn();
  assert.equal(authorized.authorizationServer.issuer, `${mcp.origin}/`);
  assert.equal(authorized.tokens.scopes, undefined);
  assert.equal((await whoami(authorized)).text, 'ada');
  const tokens = await renew(authorized);
  assert.equal((await whoami({ ...authorized, tokens })).text, 'ada');
  assert.deepEqual(resources, [mcp.href, mcp.href, mcp.href]);
});

test('mcpAuthRouter: the second use of a refresh token or of a code fails with invalidGrant', async (t) => {
  const { signIn, renew } = await start(t);
  const authorized = await signIn();
  await renew(authorized);
  await fails(() => renew(authorized), 'invalidGrant', {
    code: 'invalid_grant',
    serverReason: 'unknown refresh token',
  });
  const { authorizationServer: server, client, resource } = authorized;
  const spent = { code: new Secret('spent'), verifier: new Secret('v'), redirectUri, resource, clock };
  await fails(() => exchange(http, server, client, spent), 'invalidGrant', { code: 'invalid_grant' });
});

test('mcpAuthRouter: a revoked grant can no longer be renewed, and the MCP server rejects its access token', async (t) => {
  const { signIn, renew, whoami } = await start(t);
  const authorized = await signIn();
  await revoke(http, authorized.authorizationServer, authorized.client, {
    token: authorized.tokens.refreshToken ?? new Secret(''),
    hint: 'refresh_token',
  });
  await fails(() => renew(authorized), 'invalidGrant');
  await fails(() => whoami(authorized), 'serverRejected', { code: 'invalid_token', status: 401 });
});

test('mcpAuthRouter: a purged client registration is reported as invalidClient, although the status is 400', async (t) => {
  const { signIn, renew, clients } = await start(t);
  const authorized = await signIn();
  clients.clear();
  await fails(() => renew(authorized), 'invalidClient', { code: 'invalid_client', status: 400 });
});

test('mcpAuthRouter: a sign-in that the user denies fails with accessDenied', async (t) => {
  const { signIn, user } = await start(t);
  user.decision = 'deny';
  await fails(signIn, 'accessDenied');
});

test('mcpAuthRouter: a registration that is rejected with 429 fails as transient and says how long to wait', async (t) => {
  const { mcp } = await start(t);
  const { authorizationServer } = await discover(http, mcp);
  const registration = { redirectUri, clientName: 'x' };
  for (let i = 0; i < 20; i++) {
    await register(http, authorizationServer, registration);
  }
  await fails(() => register(http, authorizationServer, registration), 'transient', {
    code: 'too_many_requests',
    status: 429,
    retryAfterMs: 3_600_000,
  });
});

test('mcpAuthRouter: an HTML 404 is reported as invalidResponse and does not end the grant', async (t) => {
  const { signIn, renew, mcp } = await start(t);
  const authorized = await signIn();
  const elsewhere = { ...authorized.authorizationServer, tokenEndpoint: `${mcp.origin}/nothing` };
  await fails(() => renew({ ...authorized, authorizationServer: elsewhere }), 'invalidResponse', { status: 404 });
  const nowhere = new URL(`${mcp.origin}/elsewhere`);
  await fails(() => discover(http, nowhere), 'invalidResponse', { code: 'no_mcp_endpoint' });
});
