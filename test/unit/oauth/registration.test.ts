import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { AuthorizationServer } from '../../../src/oauth/model.ts';
import { chooseClient, register } from '../../../src/oauth/registration.ts';
import { fails } from './failing.ts';
import { fetchHttp } from './fetchHttp.ts';
import { html, type LoopbackServer, type Route, startServer } from './loopbackServer.ts';

const redirectUri = 'vscode://seedling.notion-mcp-auth/callback?windowId=1';
const registration = { redirectUri, clientName: 'Visual Studio Code (Notion MCP Authentication)' };

interface Registrar extends LoopbackServer {
  as: AuthorizationServer;
}

async function registrar(t: TestContext, route: Route, more: Partial<AuthorizationServer> = {}): Promise<Registrar> {
  const server = await startServer(t);
  server.routes['POST /register'] = route;
  const as: AuthorizationServer = {
    issuer: server.origin,
    authorizationEndpoint: `${server.origin}/authorize`,
    tokenEndpoint: `${server.origin}/token`,
    registrationEndpoint: `${server.origin}/register`,
    onPrivateNetwork: true,
    ...more,
  };
  return { ...server, as };
}

const sent = ({ received }: LoopbackServer, index = 0) => JSON.parse(received[index]?.body ?? '{}');

const created = (more: Record<string, unknown> = {}): Route => ({ status: 201, body: { client_id: 'c-1', ...more } });

test('A9, A16: a registration asks for a native public client with one redirect URI and both grants', async (t) => {
  const server = await registrar(t, created({ client_id_issued_at: 1_700_000_000 }));
  assert.deepEqual(await register(fetchHttp, server.as, registration), {
    clientId: 'c-1',
    authMethod: 'none',
    clientIdIssuedAtSeconds: 1_700_000_000,
  });
  assert.deepEqual(sent(server), {
    client_name: 'Visual Studio Code (Notion MCP Authentication)',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  });
});

for (const [uri, type] of [
  ['vscode://seedling.notion-mcp-auth/callback', 'native'],
  ['http://127.0.0.1:1234/callback', 'native'],
  ['http://localhost:1234/callback', 'native'],
  ['https://localhost:1234/callback', 'native'],
  ['https://vscode.dev/callback', 'web'],
  ['http://code.example.com/callback', 'native'],
] as const) {
  test(`A27: the redirect ${uri} is registered as ${type}`, async (t) => {
    const server = await registrar(t, created());
    await register(fetchHttp, server.as, { ...registration, redirectUri: uri });
    assert.equal(sent(server).application_type, type);
  });
}

test('A27: refused as native, a registration is tried once as web', async (t) => {
  const server = await registrar(t, ({ body }) =>
    JSON.parse(body).application_type === 'web'
      ? { status: 201, body: { client_id: 'c-web' } }
      : { status: 400, body: { error: 'invalid_client_metadata', error_description: 'application_type' } },
  );
  assert.equal((await register(fetchHttp, server.as, registration)).clientId, 'c-web');
  assert.equal(server.received.length, 2);
});

test('A9, A27: refused both ways, the first refusal is told with the server’s reason', async (t) => {
  const server = await registrar(t, ({ body }) => ({
    status: 400,
    body: {
      error: JSON.parse(body).application_type === 'web' ? 'invalid_client_metadata' : 'invalid_redirect_uri',
      error_description: 'No custom schemes here',
    },
  }));
  await fails(() => register(fetchHttp, server.as, registration), 'serverRejected', {
    step: 'registration',
    code: 'invalid_redirect_uri',
    status: 400,
    serverReason: 'No custom schemes here',
  });
  assert.equal(server.received.length, 2);
});

test('a refused redirect has one code, also where only the words tell it (workers-oauth-provider 1.2.3)', async (t) => {
  for (const [words, code] of [
    ['Redirect URI must use https, or http on a loopback host', 'invalid_redirect_uri'],
    ['redirect_uris is required', 'invalid_redirect_uri'],
    ['Public client registration is not allowed', 'invalid_client_metadata'],
  ] as const) {
    const server = await registrar(t, {
      status: 400,
      body: { error: 'invalid_client_metadata', error_description: words },
    });
    await fails(() => register(fetchHttp, server.as, registration), 'serverRejected', { code, serverReason: words });
  }
});

test('A27: a refusal for another reason is not tried again', async (t) => {
  const server = await registrar(t, { status: 403, body: { error: 'access_denied', error_description: 'Ask Bob' } });
  await fails(() => register(fetchHttp, server.as, registration), 'serverRejected', { serverReason: 'Ask Bob' });
  assert.equal(server.received.length, 1);
});

for (const [answered, supported, expected] of [
  [{ token_endpoint_auth_method: 'none' }, undefined, 'none'],
  [{ token_endpoint_auth_method: 'client_secret_post' }, undefined, 'client_secret_post'],
  [{ token_endpoint_auth_method: 'client_secret_basic' }, undefined, 'client_secret_basic'],
  [{}, undefined, 'client_secret_basic'],
  [{}, ['client_secret_post'], 'client_secret_post'],
  [{}, ['none'], 'none'],
  [{}, ['private_key_jwt'], 'client_secret_basic'],
  [{}, ['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
] as const) {
  test(`the auth method answered at registration is obeyed: ${JSON.stringify(answered)} of ${supported} is ${expected}`, async (t) => {
    const route = created({ client_secret: 's3cret', client_secret_expires_at: 1_900_000_000, ...answered });
    const server = await registrar(t, route, {
      ...(supported && { tokenEndpointAuthMethodsSupported: [...supported] }),
    });
    const client = await register(fetchHttp, server.as, registration);
    assert.equal(client.authMethod, expected);
    assert.ok(client.clientSecret?.equals(new Secret('s3cret')));
    assert.equal(client.clientSecretExpiresAtSeconds, 1_900_000_000);
  });
}

test('a public client is asked for, unless the server lists its methods without it', async (t) => {
  for (const [supported, asked] of [
    [['none', 'client_secret_basic'], 'none'],
    [['private_key_jwt', 'client_secret_post'], 'client_secret_post'],
    [['private_key_jwt'], 'none'],
  ] as const) {
    const server = await registrar(t, created({ client_secret: 's' }), {
      tokenEndpointAuthMethodsSupported: [...supported],
    });
    await register(fetchHttp, server.as, registration);
    assert.equal(sent(server).token_endpoint_auth_method, asked);
  }
});

test('an answer that cannot be used is nonsense', async (t) => {
  for (const [body, code] of [
    [{}, 'no_client_id'],
    [{ client_id: '' }, 'no_client_id'],
    [{ client_id: 7 }, 'no_client_id'],
    ['not json', 'no_client_id'],
    [{ client_id: 'c', token_endpoint_auth_method: 'private_key_jwt' }, 'unknown_auth_method'],
    [{ client_id: 'c', token_endpoint_auth_method: 'client_secret_post' }, 'no_client_secret'],
    [{ client_id: 'c', token_endpoint_auth_method: 'client_secret_post', client_secret: '' }, 'no_client_secret'],
  ] as const) {
    const server = await registrar(t, { status: 201, body });
    await fails(() => register(fetchHttp, server.as, registration), 'invalidResponse', { step: 'registration', code });
  }
});

test('an answer with 200, without secret expiry or with odd numbers is used all the same', async (t) => {
  const server = await registrar(t, {
    body: { client_id: 'c', client_secret: 's', client_secret_expires_at: null, client_id_issued_at: '1700000000' },
  });
  const client = await register(fetchHttp, server.as, registration);
  assert.equal(client.clientSecretExpiresAtSeconds, 0);
  assert.equal(client.clientIdIssuedAtSeconds, 1_700_000_000);
});

test('a server that registers another redirect URI than ours has refused ours', async (t) => {
  const server = await registrar(t, created({ redirect_uris: ['https://other.example/'] }));
  await fails(() => register(fetchHttp, server.as, registration), 'serverRejected', { code: 'invalid_redirect_uri' });
});

test('429 with Retry-After, in either form, is transient and says when', async (t) => {
  for (const [headers, retryAfterMs] of [
    [{ 'retry-after': '3600' }, 3_600_000],
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT', date: 'Wed, 21 Oct 2026 07:28:00 GMT' }, 30_000],
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:27:00 GMT', date: 'Wed, 21 Oct 2026 07:28:00 GMT' }, 0],
    [{ 'retry-after': '99999999999' }, 86_400_000],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ] as const) {
    const server = await registrar(t, { status: 429, headers, body: { error: 'too_many_requests' } });
    await fails(() => register(fetchHttp, server.as, registration), 'transient', {
      code: 'too_many_requests',
      status: 429,
      retryAfterMs,
    });
  }
});

for (const [title, route, kind] of [
  ['a firewall’s 403 page', { ...html, status: 403 }, 'transient'],
  ['a 503', { status: 503 }, 'transient'],
  ['a captive portal’s 200 page', html, 'transient'],
  ['a 404 page', { ...html, status: 404 }, 'invalidResponse'],
  ['a redirect', { status: 307, headers: { location: '/elsewhere' } }, 'unsafe'],
] as const) {
  test(`at registration ${title} is ${kind}`, async (t) => {
    const server = await registrar(t, route);
    await fails(() => register(fetchHttp, server.as, registration), kind, { step: 'registration' });
    assert.equal(server.received.length, 1);
  });
}

test('A23: a registration endpoint of a public server on a private address is refused', async (t) => {
  const { as, received } = await registrar(t, created());
  const { onPrivateNetwork: _learned, ...publicServer } = as;
  await fails(() => register(fetchHttp, publicServer, registration), 'unsafe', { code: 'private_address' });
  assert.equal(received.length, 0);
});

test('A6, A8: a configured client comes first and nothing is asked', async (t) => {
  const { as, received } = await registrar(t, created(), { clientIdMetadataDocumentSupported: true });
  const clientMetadataUrl = 'https://example.com/client.json';
  const choose = (configured: { clientId: string; clientSecret?: Secret }) =>
    chooseClient(fetchHttp, as, { ...registration, clientMetadataUrl, configured });
  assert.deepEqual(await choose({ clientId: 'mine' }), { clientId: 'mine', authMethod: 'none' });
  const clientSecret = new Secret('s');
  assert.deepEqual(await choose({ clientId: 'mine', clientSecret }), {
    clientId: 'mine',
    clientSecret,
    authMethod: 'client_secret_basic',
  });
  assert.equal((await choose({ clientId: '' })).clientId, clientMetadataUrl);
  assert.equal(received.length, 0);
});

test('A6, A7: the metadata document comes before a registration, where the server takes it', async (t) => {
  const clientMetadataUrl = 'https://example.com/client.json';
  const taking = await registrar(t, created(), { clientIdMetadataDocumentSupported: true });
  assert.deepEqual(await chooseClient(fetchHttp, taking.as, { ...registration, clientMetadataUrl }), {
    clientId: clientMetadataUrl,
    authMethod: 'none',
  });
  const other = await registrar(t, created());
  assert.equal((await chooseClient(fetchHttp, other.as, { ...registration, clientMetadataUrl })).clientId, 'c-1');
});

test('A6: without any way to be known the person is to be asked', async (t) => {
  const { as, received } = await registrar(t, created());
  const { registrationEndpoint: _none, ...closed } = as;
  await fails(() => chooseClient(fetchHttp, closed, registration), 'misconfigured', {
    step: 'registration',
    code: 'no_registration',
    host: new URL(as.issuer).host,
  });
  assert.equal(received.length, 0);
});
