import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { FailureDetails, FailureKind } from '../../../src/oauth/errors.ts';
import type { AuthorizationServer, Client } from '../../../src/oauth/model.ts';
import { revoke } from '../../../src/oauth/revocation.ts';
import { exchange, refresh } from '../../../src/oauth/token.ts';
import { FakeClock } from '../fakeClock.ts';
import { fails } from './failing.ts';
import { fetchHttp } from './fetchHttp.ts';
import { html, type LoopbackServer, type Route, type RouteResponse, startServer } from './loopbackServer.ts';

const clock = new FakeClock();
const publicClient: Client = { clientId: 'client-1', authMethod: 'none' };
const resource = 'https://mcp.example/mcp';
const refreshToken = new Secret('user:grant:refresh-1');

interface TokenServer extends LoopbackServer {
  as: AuthorizationServer;
  exchange(client?: Client): ReturnType<typeof exchange>;
  refresh(client?: Client): ReturnType<typeof refresh>;
  revoke(client?: Client): ReturnType<typeof revoke>;
}

async function tokenServer(t: TestContext, route: Route): Promise<TokenServer> {
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

const granted = (more: Record<string, unknown> = {}): RouteResponse => ({
  body: { access_token: 'user:grant:access-2', token_type: 'bearer', expires_in: 3600, ...more },
});

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

const text = (body: string, status: number, type = 'text/plain'): RouteResponse => ({
  status,
  headers: { 'content-type': type },
  body,
});

const classified: [title: string, response: RouteResponse, kind: FailureKind, details?: Partial<FailureDetails>][] = [
  [
    'invalid_grant with 400',
    { status: 400, body: { error: 'invalid_grant' } },
    'invalidGrant',
    { code: 'invalid_grant' },
  ],
  ['invalid_grant with 200', { body: { error: 'invalid_grant' } }, 'invalidGrant', { status: 200 }],
  ['invalid_grant with 401', { status: 401, body: { error: 'invalid_grant' } }, 'invalidGrant'],
  ['invalid_grant as text/plain', text('{"error":"invalid_grant"}', 400), 'invalidGrant'],
  ['invalid_grant as text/html', text('{"error":"invalid_grant"}', 400, 'text/html'), 'invalidGrant'],
  [
    'invalid_grant as a form',
    text('error=invalid_grant&error_description=gone', 200),
    'invalidGrant',
    { serverReason: 'gone' },
  ],
  ['invalid_client with 401', { status: 401, body: { error: 'invalid_client' } }, 'invalidClient'],
  ['invalid_client with 400', { status: 400, body: { error: 'invalid_client' } }, 'invalidClient'],
  ['invalid_client with 422', { status: 422, body: { error: 'invalid_client' } }, 'invalidClient'],
  ['invalid_client with 200', { body: { error: 'invalid_client' } }, 'invalidClient'],
  [
    'Supabase’s 422',
    { status: 422, body: { message: 'Unrecognized client_id' } },
    'invalidClient',
    { code: 'invalid_client' },
  ],
  [
    'another 422 with a message',
    { status: 422, body: { message: 'Required parameter: client_secret' } },
    'invalidResponse',
  ],
  [
    'unauthorized_client',
    { status: 400, body: { error: 'unauthorized_client' } },
    'serverRejected',
    { code: 'unauthorized_client' },
  ],
  ['invalid_target', { status: 400, body: { error: 'invalid_target' } }, 'serverRejected', { code: 'invalid_target' }],
  [
    'an unregistered error',
    { status: 400, body: { error: 'E_42 <x>' } },
    'serverRejected',
    { code: 'unregistered_error', serverReason: "E_42 'x'" },
  ],
  ['temporarily_unavailable', { status: 400, body: { error: 'temporarily_unavailable' } }, 'transient'],
  ['server_error with 200', { body: { error: 'server_error' } }, 'transient'],
  ['500', { status: 500 }, 'transient', { code: 'http_500', status: 500 }],
  ['502 with HTML', { ...html, status: 502 }, 'transient'],
  ['503 with Retry-After', { status: 503, headers: { 'retry-after': '120' } }, 'transient', { retryAfterMs: 120_000 }],
  ['500 with invalid_grant', { status: 500, body: { error: 'invalid_grant' } }, 'transient'],
  ['429 with invalid_client', { status: 429, body: { error: 'invalid_client' } }, 'transient'],
  [
    '429 with Retry-After',
    { status: 429, headers: { 'retry-after': '3600' } },
    'transient',
    { retryAfterMs: 3_600_000 },
  ],
  ['408', { status: 408 }, 'transient'],
  ['a firewall’s 403 page', { ...html, status: 403 }, 'transient', { code: 'http_403' }],
  ['a 401 without a body', { status: 401 }, 'transient'],
  ['a proxy’s 407', { status: 407 }, 'transient'],
  ['a captive portal’s 511', { ...html, status: 511 }, 'transient'],
  ['a captive portal’s 200 page', html, 'transient', { code: 'html' }],
  ['a 200 page with the content type of JSON', text('<html>', 200, 'application/json'), 'transient', { code: 'html' }],
  ['a 404 page', { ...html, status: 404 }, 'invalidResponse', { code: 'http_404' }],
  ['a 400 page', { ...html, status: 400 }, 'invalidResponse'],
];

for (const [title, response, kind, details] of classified) {
  test(`${title} at the token endpoint is ${kind}`, async (t) => {
    const server = await tokenServer(t, response);
    await fails(() => server.refresh(), kind, { step: 'token', host: new URL(server.origin).host, ...details });
    await fails(() => server.exchange(), kind, details);
  });
}

test('a redirected POST is never followed, so the code and the refresh token do not leak', async (t) => {
  for (const status of [301, 302, 303, 307, 308]) {
    const server = await tokenServer(t, { status, headers: { location: '/stolen' } });
    await fails(() => server.exchange(), 'unsafe', { code: 'redirected' });
    await fails(() => server.refresh(), 'unsafe', { code: 'redirected' });
    await fails(() => server.revoke(), 'unsafe', { step: 'revocation', code: 'redirected' });
    assert.deepEqual(new Set(server.asked()), new Set(['POST /token']));
  }
});

test('a client authenticates only with its registered method: none, client_secret_basic or client_secret_post', async (t) => {
  const server = await tokenServer(t, granted());
  const clientSecret = new Secret('s:e/c+r%t');
  const clientId = 'id-with.a_space x';
  await server.refresh({ clientId, clientSecret, authMethod: 'none' });
  await server.refresh({ clientId, clientSecret, authMethod: 'client_secret_post' });
  await server.refresh({ clientId, clientSecret, authMethod: 'client_secret_basic' });
  const [none, post, basic] = server.received;
  assert.deepEqual(
    [none?.form.client_id, none?.form.client_secret, none?.headers.authorization],
    [clientId, undefined, undefined],
  );
  assert.deepEqual(
    [post?.form.client_id, post?.form.client_secret, post?.headers.authorization],
    [clientId, 's:e/c+r%t', undefined],
  );
  assert.deepEqual([basic?.form.client_id, basic?.form.client_secret], [undefined, undefined]);
  // Characters that need no encoding stay as they are, because some servers compare without decoding.
  const credentials = atob(basic?.headers.authorization?.replace('Basic ', '') ?? '');
  assert.match(credentials, /^id-with\.a_space\+x:/);
  assert.deepEqual(
    credentials.split(':').map((part) => decodeURIComponent(part.replace(/\+/g, ' '))),
    [clientId, 's:e/c+r%t'],
  );
});

test('a server’s error description is cleaned, shortened and stripped of secrets that were sent and of anything that looks like one', async (t) => {
  const server = await tokenServer(t, ({ form }) => ({
    status: 400,
    body: {
      error: 'invalid_grant',
      error_description: `Token ${form.refresh_token}${form.code ?? ''} by ${form.client_secret} [click](command:evil) \u202e$(bug)\n${'AbCdEf0123456789:'.repeat(9)} ${'x '.repeat(500)}`,
    },
  }));
  const client: Client = { clientId: 'c', clientSecret: new Secret('hunter2'), authMethod: 'client_secret_post' };
  const { message, details } = await fails(() => server.refresh(client), 'invalidGrant');
  const reason = details.serverReason ?? '';
  assert.match(reason, /^Token \[secret\] ?by \[secret\] \[click\] \(command:evil\) \(bug\) \[redacted\] x x/);
  assert.ok(reason.length <= 200, String(reason.length));
  assert.equal(message, 'invalidGrant at token: invalid_grant (400)');
});

test('a revocation request contains the token, its type hint and the client ID', async (t) => {
  const server = await tokenServer(t, { body: '' });
  await server.revoke();
  assert.deepEqual(server.received[0]?.form, {
    token: refreshToken.reveal(),
    token_type_hint: 'refresh_token',
    client_id: 'client-1',
  });
});

test('an already invalid token counts as revoked, and any other error is a failure', async (t) => {
  for (const error of ['invalid_grant', 'invalid_token']) {
    await (await tokenServer(t, { status: 400, body: { error } })).revoke();
  }
  for (const [response, kind] of [
    [{ status: 401, body: { error: 'invalid_client' } }, 'invalidClient'],
    [{ body: { error: 'unsupported_token_type' } }, 'serverRejected'],
    [{ status: 503 }, 'transient'],
    [html, 'transient'],
  ] as const) {
    const server = await tokenServer(t, response);
    await fails(() => server.revoke(), kind, { step: 'revocation' });
  }
});

test('revocation at a server without a revocation endpoint fails without sending a request', async (t) => {
  const { as, received } = await tokenServer(t, {});
  const { revocationEndpoint: _removed, ...withoutRevocation } = as;
  await fails(
    () => revoke(fetchHttp, withoutRevocation, publicClient, { token: refreshToken, hint: 'refresh_token' }),
    'invalidResponse',
    { step: 'revocation', missing: 'revocation_endpoint' },
  );
  assert.equal(received.length, 0);
});

test('a refresh is transient if the token endpoint cannot be reached, and cancelled if its signal is aborted', async (t) => {
  const server = await tokenServer(t, () => undefined);
  const cancel = new AbortController();
  const waiting = refresh(fetchHttp, server.as, publicClient, { refreshToken, resource, clock, signal: cancel.signal });
  cancel.abort();
  await fails(() => waiting, 'cancelled', { step: 'token', code: 'cancelled' });
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
