import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { exchange, refresh } from '../../../src/oauth/token.ts';
import { fails } from './failing.ts';
import { fetchHttp } from './fetchHttp.ts';
import { clock, granted, publicClient, refreshToken, resource, tokenServer } from './tokenServer.ts';

test('A13, A20: a code exchange sends code, PKCE verifier, redirect URI and resource as a form, and reads the tokens', async (t) => {
  const server = await tokenServer(t, granted({ refresh_token: 'user:grant:refresh-2', scope: 'read write' }));
  const tokens = await server.exchange();
  assert.equal(tokens.accessToken.reveal(), 'user:grant:access-2');
  assert.equal(tokens.refreshToken?.reveal(), 'user:grant:refresh-2');
  assert.equal(tokens.expiresInSeconds, 3600);
  assert.equal(tokens.obtainedAtMs, clock.nowMs());
  assert.deepEqual(tokens.scopes, ['read', 'write']);
  const [request] = server.received;
  assert.match(request?.headers['content-type'] ?? '', /^application\/x-www-form-urlencoded/);
  assert.equal(request?.headers.accept, 'application/json');
  assert.doesNotMatch(request?.headers['user-agent'] ?? '', /oauth4webapi/);
  assert.deepEqual(request?.form, {
    grant_type: 'authorization_code',
    client_id: 'client-1',
    code: 'user:grant:code+/%',
    code_verifier: 'verifier-1',
    redirect_uri: 'vscode://x/callback?windowId=1',
    resource,
  });
});

test('A13: a refresh sends the refresh token and the resource', async (t) => {
  const server = await tokenServer(t, granted());
  await server.refresh();
  assert.deepEqual(server.received[0]?.form, {
    grant_type: 'refresh_token',
    client_id: 'client-1',
    refresh_token: refreshToken.reveal(),
    resource,
  });
});

test('a refresh response without a refresh token or scope leaves both undefined, so that the caller keeps the previous ones', async (t) => {
  for (const more of [{}, { refresh_token: null, scope: null }, { refresh_token: '', scope: '' }, { scope: ['a'] }]) {
    const tokens = await (await tokenServer(t, granted(more))).refresh();
    assert.equal(tokens.refreshToken, undefined);
    assert.equal(tokens.scopes, undefined);
  }
});

for (const [value, expected] of [
  [3600, 3600],
  ['3600', 3600],
  ['3600.9', 3600],
  [28_800.5, 28_800],
  [61, 61],
  [60, 60],
  [59, 60],
  ['30', 60],
  [1, 60],
  [0.5, undefined],
  [0, undefined],
  ['0', undefined],
  [-1, undefined],
  ['soon', undefined],
  ['', undefined],
  [null, undefined],
  [undefined, undefined],
  [1e300, undefined],
  [{}, undefined],
  [true, undefined],
] as const) {
  test(`expires_in ${JSON.stringify(value)} is read as ${expected}`, async (t) => {
    const tokens = await (await tokenServer(t, granted({ expires_in: value }))).refresh();
    assert.equal(tokens.expiresInSeconds, expected);
  });
}

test('A25: a token type other than Bearer, in any letter case, is rejected', async (t) => {
  for (const token_type of ['bearer', 'Bearer', 'BEARER']) {
    await (await tokenServer(t, granted({ token_type }))).exchange();
  }
  for (const token_type of ['DPoP', 'mac', 'N_A', 'bearer ', '']) {
    const server = await tokenServer(t, granted({ token_type }));
    await fails(() => server.exchange(), 'invalidResponse', { step: 'token', code: 'unknown_token_type' });
  }
  const server = await tokenServer(t, granted({ token_type: undefined }));
  await fails(() => server.exchange(), 'invalidResponse', { missing: 'token_type' });
});

test('a token response without a usable access token is an invalidResponse that names the missing field', async (t) => {
  for (const access_token of [undefined, null, '', 7, {}, 'with space', 'line\nbreak', 'ümlaut']) {
    const server = await tokenServer(t, granted({ access_token }));
    await fails(() => server.exchange(), 'invalidResponse', { missing: 'access_token', status: 200 });
  }
  for (const body of ['', 'null', '[]', '{"access_token": "x"', '"x"']) {
    const server = await tokenServer(t, { body });
    await fails(() => server.refresh(), 'invalidResponse', { code: 'not_json' });
  }
});

test('a token response with unknown fields, a byte order mark and a wrong content type is accepted', async (t) => {
  const server = await tokenServer(t, {
    headers: { 'content-type': 'text/plain' },
    body: `\uFEFF${JSON.stringify({ access_token: 'a', token_type: 'bearer', id_token: 'not.a.jwt', error: null, __proto__: 1 })}`,
  });
  assert.equal((await server.exchange()).accessToken.reveal(), 'a');
});

test('a token response with status 201 is accepted (modelcontextprotocol/python-sdk#1502)', async (t) => {
  const server = await tokenServer(t, { ...granted(), status: 201 });
  assert.equal((await server.refresh()).accessToken.reveal(), 'user:grant:access-2');
});

test('a redirected POST is never followed, so the code and the refresh token do not leak', async (t) => {
  for (const status of [301, 302, 303, 307, 308]) {
    const server = await tokenServer(t, { status, headers: { location: '/stolen' } });
    await fails(() => server.exchange(), 'unsafe', { code: 'redirected' });
    await fails(() => server.refresh(), 'unsafe', { code: 'redirected' });
    await fails(() => server.revoke(), 'unsafe', { step: 'revocation', code: 'redirected' });
    assert.deepEqual(new Set(server.asked()), new Set(['POST /token']));
  }
});

test('a refresh is transient if the token endpoint cannot be reached', async (t) => {
  const server = await tokenServer(t, () => undefined);
  const unreachable = { ...server.as, tokenEndpoint: 'http://127.0.0.1:1/token' };
  await fails(() => refresh(fetchHttp, unreachable, publicClient, { refreshToken, resource, clock }), 'transient', {
    code: 'unreachable',
    host: '127.0.0.1:1',
  });
});

test('A23: an authorization code of a public server is never sent to a private address', async (t) => {
  const { as, received } = await tokenServer(t, granted());
  const { onPrivateNetwork: _removed, ...publicServer } = as;
  const request = { code: new Secret('c'), verifier: new Secret('v'), redirectUri: 'x://y', resource, clock };
  await fails(() => exchange(fetchHttp, publicServer, publicClient, request), 'unsafe', { code: 'private_address' });
  assert.equal(received.length, 0);
});
