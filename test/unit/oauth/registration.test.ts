import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { AuthorizationServer } from '../../../src/oauth/model.ts';
import { type ConfiguredClient, chooseClient, isClientMetadataUrl, register } from '../../../src/oauth/registration.ts';
import { fails } from './failing.ts';
import { fetchHttp } from './fetchHttp.ts';
import { html, type LoopbackServer, type Route, startServer } from './loopbackServer.ts';

const redirectUri = 'vscode://seedling.notion-mcp-auth/callback?windowId=1';
const registration = { redirectUri, clientName: 'Visual Studio Code (Notion MCP Authentication)' };

interface RegistrationServer extends LoopbackServer {
  as: AuthorizationServer;
}

async function registrationServer(
  t: TestContext,
  route: Route,
  more: Partial<AuthorizationServer> = {},
): Promise<RegistrationServer> {
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

test('A9, A16: a registration requests a native public client with one redirect URI and both grant types', async (t) => {
  const server = await registrationServer(t, created({ client_id_issued_at: 1_700_000_000 }));
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
  test(`A27: the redirect URI ${uri} is registered as ${type}`, async (t) => {
    const server = await registrationServer(t, created());
    await register(fetchHttp, server.as, { ...registration, redirectUri: uri });
    assert.equal(sent(server).application_type, type);
  });
}

test('A27: a registration that is rejected as native is retried once as web', async (t) => {
  const server = await registrationServer(t, ({ body }) =>
    JSON.parse(body).application_type === 'web'
      ? { status: 201, body: { client_id: 'c-web' } }
      : { status: 400, body: { error: 'invalid_client_metadata', error_description: 'application_type' } },
  );
  assert.equal((await register(fetchHttp, server.as, registration)).clientId, 'c-web');
  assert.equal(server.received.length, 2);
});

test('A9, A27: a registration rejected both as native and as web fails with the first error and the server’s reason', async (t) => {
  const server = await registrationServer(t, ({ body }) => ({
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

test('A27: a registration that fails for a passing reason at its second application type fails for that reason', async (t) => {
  const server = await registrationServer(t, ({ body }) =>
    JSON.parse(body).application_type === 'web'
      ? { status: 503 }
      : { status: 400, body: { error: 'invalid_redirect_uri' } },
  );
  await fails(() => register(fetchHttp, server.as, registration), 'transient', { code: 'http_503' });
});

test('a rejected redirect URI has the code invalid_redirect_uri even if only the description names it (workers-oauth-provider 1.2.3)', async (t) => {
  for (const [description, code] of [
    ['Redirect URI must use https, or http on a loopback host', 'invalid_redirect_uri'],
    ['redirect_uris is required', 'invalid_redirect_uri'],
    ['Public client registration is not allowed', 'invalid_client_metadata'],
  ] as const) {
    const server = await registrationServer(t, {
      status: 400,
      body: { error: 'invalid_client_metadata', error_description: description },
    });
    await fails(() => register(fetchHttp, server.as, registration), 'serverRejected', {
      code,
      serverReason: description,
    });
  }
});

test('A27: a registration that is rejected for another reason is not retried', async (t) => {
  const server = await registrationServer(t, {
    status: 403,
    body: { error: 'access_denied', error_description: 'Ask Bob' },
  });
  await fails(() => register(fetchHttp, server.as, registration), 'serverRejected', { serverReason: 'Ask Bob' });
  assert.equal(server.received.length, 1);
});

for (const [returned, supported, expected] of [
  [{ token_endpoint_auth_method: 'none' }, undefined, 'none'],
  [{ token_endpoint_auth_method: 'client_secret_post' }, undefined, 'client_secret_post'],
  [{ token_endpoint_auth_method: 'client_secret_basic' }, undefined, 'client_secret_basic'],
  [{}, undefined, 'client_secret_basic'],
  [{}, ['client_secret_post'], 'client_secret_post'],
  [{}, ['none'], 'none'],
  [{}, ['private_key_jwt'], 'client_secret_basic'],
  [{}, ['client_secret_post', 'client_secret_basic'], 'client_secret_basic'],
] as const) {
  test(`a registration response ${JSON.stringify(returned)} selects ${expected} if the server lists ${supported ?? 'no methods'}`, async (t) => {
    const route = created({ client_secret: 's3cret', client_secret_expires_at: 1_900_000_000, ...returned });
    const server = await registrationServer(t, route, {
      ...(supported && { tokenEndpointAuthMethodsSupported: [...supported] }),
    });
    const client = await register(fetchHttp, server.as, registration);
    assert.equal(client.authMethod, expected);
    assert.ok(client.clientSecret?.equals(new Secret('s3cret')));
    assert.equal(client.clientSecretExpiresAtSeconds, 1_900_000_000);
  });
}

test('a registration requests a public client unless the server lists only other known auth methods', async (t) => {
  for (const [supported, requested] of [
    [['none', 'client_secret_basic'], 'none'],
    [['private_key_jwt', 'client_secret_post'], 'client_secret_post'],
    [['private_key_jwt'], 'none'],
  ] as const) {
    const server = await registrationServer(t, created({ client_secret: 's' }), {
      tokenEndpointAuthMethodsSupported: [...supported],
    });
    await register(fetchHttp, server.as, registration);
    assert.equal(sent(server).token_endpoint_auth_method, requested);
  }
});

test('an unusable registration response is an invalidResponse', async (t) => {
  for (const [body, code] of [
    [{}, 'no_client_id'],
    [{ client_id: '' }, 'no_client_id'],
    [{ client_id: 7 }, 'no_client_id'],
    ['not json', 'no_client_id'],
    [{ client_id: 'c', token_endpoint_auth_method: 'private_key_jwt' }, 'unknown_auth_method'],
    [{ client_id: 'c', token_endpoint_auth_method: 'client_secret_post' }, 'no_client_secret'],
    [{ client_id: 'c', token_endpoint_auth_method: 'client_secret_post', client_secret: '' }, 'no_client_secret'],
  ] as const) {
    const server = await registrationServer(t, { status: 201, body });
    await fails(() => register(fetchHttp, server.as, registration), 'invalidResponse', { step: 'registration', code });
  }
});

test('a registration response with status 200, a null secret expiry or a numeric string is accepted', async (t) => {
  const server = await registrationServer(t, {
    body: { client_id: 'c', client_secret: 's', client_secret_expires_at: null, client_id_issued_at: '1700000000' },
  });
  const client = await register(fetchHttp, server.as, registration);
  assert.equal(client.clientSecretExpiresAtSeconds, 0);
  assert.equal(client.clientIdIssuedAtSeconds, 1_700_000_000);
});

test('a registration response with a different redirect URI counts as a rejection of ours', async (t) => {
  const server = await registrationServer(t, created({ redirect_uris: ['https://other.example/'] }));
  await fails(() => register(fetchHttp, server.as, registration), 'serverRejected', { code: 'invalid_redirect_uri' });
});

test('a 429 at registration is transient and carries the delay of Retry-After in either form', async (t) => {
  for (const [headers, retryAfterMs] of [
    [{ 'retry-after': '3600' }, 3_600_000],
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT', date: 'Wed, 21 Oct 2026 07:28:00 GMT' }, 30_000],
    [{ 'retry-after': 'Wed, 21 Oct 2026 07:27:00 GMT', date: 'Wed, 21 Oct 2026 07:28:00 GMT' }, 0],
    [{ 'retry-after': '99999999999' }, 86_400_000],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ] as const) {
    const server = await registrationServer(t, { status: 429, headers, body: { error: 'too_many_requests' } });
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
  test(`${title} at registration is ${kind}`, async (t) => {
    const server = await registrationServer(t, route);
    await fails(() => register(fetchHttp, server.as, registration), kind, { step: 'registration' });
    assert.equal(server.received.length, 1);
  });
}

test('A23: a public server’s registration endpoint on a private address is refused', async (t) => {
  const { as, received } = await registrationServer(t, created());
  const { onPrivateNetwork: _removed, ...publicServer } = as;
  await fails(() => register(fetchHttp, publicServer, registration), 'unsafe', { code: 'private_address' });
  assert.equal(received.length, 0);
});

test('A6, A8: a configured client takes precedence over registration and needs no request', async (t) => {
  const { as, received } = await registrationServer(t, created());
  const choose = (configured: ConfiguredClient) => chooseClient(fetchHttp, as, { ...registration, configured });
  assert.deepEqual(await choose({ clientId: 'mine' }), { clientId: 'mine', authMethod: 'none' });
  const clientSecret = new Secret('s');
  assert.deepEqual(await choose({ clientId: 'mine', clientSecret }), {
    clientId: 'mine',
    clientSecret,
    authMethod: 'client_secret_basic',
  });
  assert.equal(received.length, 0);
});

const clientMetadataUrl = 'https://example.com/client.json';

test('A6, A7: the URL of a client metadata document is the client id, and needs no request', async (t) => {
  const { as, received } = await registrationServer(t, created(), { clientIdMetadataDocumentSupported: true });
  const configured = { clientId: clientMetadataUrl };
  assert.deepEqual(await chooseClient(fetchHttp, as, { ...registration, configured }), {
    clientId: clientMetadataUrl,
    authMethod: 'none',
  });
  assert.equal(received.length, 0);
});

test('A7: the URL of a client metadata document is refused if the server does not say that it reads such documents', async (t) => {
  const { as, received } = await registrationServer(t, created());
  const configured = { clientId: clientMetadataUrl };
  await fails(() => chooseClient(fetchHttp, as, { ...registration, configured }), 'misconfigured', {
    step: 'registration',
    code: 'no_client_metadata',
    host: new URL(as.issuer).host,
  });
  assert.equal(received.length, 0);
});

test('A7: only an https URL with a path is the URL of a client metadata document', () => {
  assert.ok(isClientMetadataUrl(clientMetadataUrl));
  for (const id of [
    'mine',
    'https://example.com',
    'https://example.com/',
    'http://example.com/client.json',
    'https://user:password@example.com/client.json',
    'https://example.com/client.json#part',
    'urn:uuid:1',
  ]) {
    assert.ok(!isClientMetadataUrl(id), id);
  }
});

test('A6: without a configured client and a registration endpoint, the user has to configure a client', async (t) => {
  const { as, received } = await registrationServer(t, created());
  const { registrationEndpoint: _removed, ...withoutRegistration } = as;
  await fails(() => chooseClient(fetchHttp, withoutRegistration, registration), 'misconfigured', {
    step: 'registration',
    code: 'no_registration',
    host: new URL(as.issuer).host,
  });
  assert.equal(received.length, 0);
});
