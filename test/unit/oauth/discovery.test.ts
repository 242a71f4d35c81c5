import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Http } from '../../../src/http/client.ts';
import { HttpFailure } from '../../../src/http/errors.ts';
import { discover, serverWellKnowns } from '../../../src/oauth/discovery.ts';
import { fails } from './failing.ts';
import { asPublicHost, fetchHttp } from './fetchHttp.ts';
import { html, type LoopbackServer, startServer } from './loopbackServer.ts';
import { metadata, notionLike, openIdAt, resourceAt, serverAt } from './notionLike.ts';

test('A1: discovery sends three requests to a server like Notion’s', async (t) => {
  const { origin, mcp, asked } = await notionLike(t);
  assert.deepEqual(await discover(fetchHttp, mcp), {
    resource: `${origin}/mcp`,
    authorizationServer: {
      issuer: origin,
      authorizationEndpoint: `${origin}/authorize`,
      tokenEndpoint: `${origin}/token`,
      registrationEndpoint: `${origin}/register`,
      revocationEndpoint: `${origin}/token`,
      tokenEndpointAuthMethodsSupported: ['none', 'client_secret_basic'],
      onPrivateNetwork: true,
    },
  });
  assert.deepEqual(asked(), ['POST /mcp', `GET ${resourceAt}/mcp`, `GET ${serverAt}`]);
});

test('A2, A11: what the challenge names is used, although the well-known URL has other metadata', async (t) => {
  const { origin, routes, mcp, asked } = await notionLike(t);
  const issuer = `${origin}/genuine`;
  routes['/custom.json'] = { body: { resource: mcp.href, authorization_servers: [issuer], scopes_supported: ['all'] } };
  routes[`${serverAt}/genuine`] = { body: metadata(issuer) };
  challengeWith(routes, `resource_metadata="${origin}/custom.json", scope="read"`);
  const { authorizationServer, scopes } = await discover(fetchHttp, mcp);
  assert.equal(authorizationServer.issuer, issuer);
  assert.deepEqual(scopes, ['read']);
  assert.deepEqual(asked(), ['POST /mcp', 'GET /custom.json', `GET ${serverAt}/genuine`]);
});

test('A2: discovery uses the second metadata URL of a challenge if the first one is dead', async (t) => {
  const { origin, routes, mcp, asked } = await notionLike(t);
  routes['/custom.json'] = { body: { resource: mcp.href, authorization_servers: [origin] } };
  challengeWith(routes, `resource_metadata="${origin}/dead", resource_metadata="${origin}/custom.json"`);
  await discover(fetchHttp, mcp);
  assert.deepEqual(asked(), ['POST /mcp', 'GET /dead', 'GET /custom.json', `GET ${serverAt}`]);
});

test('A2: discovery tries the well-known URLs if those of the challenge are dead', async (t) => {
  const { origin, routes, mcp, asked } = await notionLike(t);
  challengeWith(routes, `resource_metadata="${origin}/dead"`);
  await discover(fetchHttp, mcp);
  assert.deepEqual(asked(), ['POST /mcp', 'GET /dead', `GET ${resourceAt}/mcp`, `GET ${serverAt}`]);
});

for (const response of [{ status: 503 }, { status: 429 }, { status: 400 }, { status: 404 }, { status: 200 }]) {
  test(`A2: a response with ${response.status} to the request for a challenge does not stop discovery if a well-known URL has metadata`, async (t) => {
    const { origin, routes, mcp } = await notionLike(t);
    routes['/mcp'] = response;
    assert.equal((await discover(fetchHttp, mcp)).authorizationServer.issuer, origin);
  });
}

test('A2, A24: root metadata applies to /mcp, and the resource that it names is sent', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  delete routes[`${resourceAt}/mcp`];
  for (const published of [origin, `${origin}/`]) {
    routes[resourceAt] = { body: { resource: published, authorization_servers: [origin] } };
    assert.equal((await discover(fetchHttp, mcp)).resource, published);
  }
});

for (const [title, response] of Object.entries({
  400: { status: 400, body: { error: 'nope' } },
  401: { status: 401 },
  403: { ...html, status: 403 },
  405: { status: 405 },
  'HTML and 200': html,
  'unrelated JSON and 200': { body: { message: 'not found' } },
  'a redirect to another origin': { status: 302, headers: { location: 'https://login.example.com/' } },
  'an empty 200': {},
})) {
  test(`A2, A4: discovery tries the next well-known URL if one responds with ${title}`, async (t) => {
    const { origin, routes, mcp } = await notionLike(t);
    routes[`${resourceAt}/mcp`] = response;
    routes[resourceAt] = { body: { resource: origin, authorization_servers: [origin] } };
    routes[serverAt] = response;
    routes[openIdAt] = { body: metadata(origin) };
    assert.equal((await discover(fetchHttp, mcp)).authorizationServer.issuer, origin);
  });
}

test('A23: a well-known URL may redirect within its origin', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  routes['/moved'] = { body: metadata(origin) };
  routes[serverAt] = { status: 302, headers: { location: '/moved' } };
  assert.equal((await discover(fetchHttp, mcp)).authorizationServer.issuer, origin);
});

for (const status of [429, 500, 502, 503]) {
  test(`discovery stops with a transient failure if a well-known URL responds with ${status}`, async (t) => {
    const { routes, mcp, asked } = await notionLike(t);
    routes[`${resourceAt}/mcp`] = { status, headers: { 'retry-after': '7' } };
    await fails(() => discover(fetchHttp, mcp), 'transient', { step: 'discovery', status, retryAfterMs: 7000 });
    assert.deepEqual(asked(), ['POST /mcp', `GET ${resourceAt}/mcp`]);
  });
}

test('A4: discovery tries the well-known URLs of an issuer in the order of the specification', () => {
  const paths = (issuer: string) => serverWellKnowns(new URL(issuer)).map(({ pathname }) => pathname);
  assert.deepEqual(paths('https://as.example'), [serverAt, openIdAt]);
  assert.deepEqual(paths('https://as.example/t/1'), [`${serverAt}/t/1`, `${openIdAt}/t/1`, `/t/1${openIdAt}`]);
  assert.deepEqual(paths('https://as.example/t/1/'), [`${serverAt}/t/1`, `${openIdAt}/t/1`, `/t/1${openIdAt}`]);
});

test('A4: discovery tries the OpenID document below the issuer’s path last', async (t) => {
  const { origin, routes, mcp, asked } = await notionLike(t);
  const issuer = `${origin}/tenant`;
  routes[`${resourceAt}/mcp`] = { body: { resource: mcp.href, authorization_servers: [issuer] } };
  routes[`/tenant${openIdAt}`] = { body: metadata(issuer) };
  assert.equal((await discover(fetchHttp, mcp)).authorizationServer.issuer, issuer);
  assert.deepEqual(asked().slice(2), [`GET ${serverAt}/tenant`, `GET ${openIdAt}/tenant`, `GET /tenant${openIdAt}`]);
});

test('A11: the challenge’s scopes take precedence over the resource metadata’s, and without either no scopes are requested', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  const scopesFor = async (parameters: string) => {
    challengeWith(routes, parameters);
    return (await discover(fetchHttp, mcp)).scopes;
  };
  assert.equal(await scopesFor('error="invalid_token"'), undefined);
  routes[`${resourceAt}/mcp`] = {
    body: { resource: mcp.href, authorization_servers: [origin], scopes_supported: ['default', 'read'] },
  };
  assert.deepEqual(await scopesFor('error="invalid_token"'), ['default', 'read']);
  assert.deepEqual(await scopesFor('scope="write"'), ['write']);
});

test('the failure for an authorization server without metadata lists every URL that was tried', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  delete routes[serverAt];
  await fails(() => discover(fetchHttp, mcp), 'invalidResponse', {
    code: 'no_server_metadata',
    lookedAt: [`${origin}${resourceAt}/mcp`, `${origin}${serverAt}`, `${origin}${openIdAt}`],
  });
});

test('A23: discovery sends no request to an issuer or metadata URL that is not https', async (t) => {
  const { origin, routes, mcp, asked } = await notionLike(t);
  routes[`${resourceAt}/mcp`] = { body: { resource: mcp.href, authorization_servers: ['http://as.example.com'] } };
  await fails(() => discover(fetchHttp, mcp), 'unsafe', { code: 'insecure', host: 'as.example.com' });
  challengeWith(routes, 'resource_metadata="http://elsewhere.example/x"');
  await fails(() => discover(fetchHttp, mcp), 'unsafe', { code: 'insecure' });
  challengeWith(routes, '');
  for (const issuer of [
    'not-a-url',
    'a:',
    'javascript:alert(1)',
    `${origin}?x=1`,
    `${origin}#x`,
    'https://a:b@as.example',
  ]) {
    routes[`${resourceAt}/mcp`] = { body: { resource: mcp.href, authorization_servers: [issuer] } };
    await fails(() => discover(fetchHttp, mcp), 'invalidResponse', { code: 'bad_issuer', host: mcp.host });
  }
  assert.ok(asked().every((line) => line === 'POST /mcp' || line === `GET ${resourceAt}/mcp`));
});

test('A23: a public MCP server cannot point discovery at a private address', async (t) => {
  const server = await notionLike(t);
  const { origin, routes, asked } = server;
  const mcp = new URL('https://mcp.example/mcp');
  routes[`${resourceAt}/mcp`] = { body: { resource: mcp.href, authorization_servers: [origin] } };
  await fails(() => discover(asPublicHost(server), mcp), 'unsafe', { code: 'private_address' });
  challengeWith(routes, `resource_metadata="${origin}/internal"`);
  await fails(() => discover(asPublicHost(server), mcp), 'unsafe', { code: 'private_address' });
  assert.ok(!asked().includes('GET /internal') && !asked().includes(`GET ${serverAt}`));
});

test('A23: an MCP server on a private address may have its authorization server on another private address', async (t) => {
  const { routes, mcp } = await notionLike(t);
  const other = await startServer(t, '127.0.0.2');
  routes[`${resourceAt}/mcp`] = { body: { resource: mcp.href, authorization_servers: [other.origin] } };
  other.routes[serverAt] = { body: metadata(other.origin) };
  const { authorizationServer } = await discover(fetchHttp, mcp);
  assert.equal(authorizationServer.issuer, other.origin);
  assert.equal(authorizationServer.onPrivateNetwork, true);
  challengeWith(routes, `resource_metadata="${other.origin}/pr"`);
  other.routes['/pr'] = { body: { resource: mcp.href, authorization_servers: [other.origin] } };
  await discover(fetchHttp, mcp);
  assert.ok(other.asked().includes('GET /pr'));
});

test('a server URL without an MCP endpoint is reported as such, even if its host has metadata', async (t) => {
  const { origin, routes } = await notionLike(t);
  routes[resourceAt] = { body: { resource: origin, authorization_servers: [origin] } };
  for (const status of [404, 405, 301, 308]) {
    routes['/mpc'] = { status, headers: status < 400 ? { location: '/mcp' } : {} };
    await fails(() => discover(fetchHttp, new URL(`${origin}/mpc`)), 'invalidResponse', {
      code: 'no_mcp_endpoint',
      missing: undefined,
    });
  }
});

test('an MCP endpoint that says in JSON-RPC that it lacks a method is not reported as missing', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  delete routes[`${resourceAt}/mcp`];
  routes[resourceAt] = { body: { resource: origin, authorization_servers: [origin] } };
  const error = { code: -32601, message: 'Method not found' };
  routes['/mcp'] = { status: 404, body: { jsonrpc: '2.0', id: 1, error } };
  assert.equal((await discover(fetchHttp, mcp)).resource, origin);
});

test('discovery fails as transient if the MCP server responds to the challenge request with 503', async (t) => {
  const { routes, mcp } = await notionLike(t);
  delete routes[`${resourceAt}/mcp`];
  routes['/mcp'] = { status: 503, headers: { 'retry-after': '5' } };
  await fails(() => discover(fetchHttp, mcp), 'transient', { status: 503, retryAfterMs: 5000 });
});

test('discovery requests the resource metadata of a server URL without a path only once', async (t) => {
  const { origin, routes, asked } = await notionLike(t);
  routes[resourceAt] = { body: { resource: origin, authorization_servers: [origin] } };
  assert.equal((await discover(fetchHttp, new URL(origin))).resource, origin);
  assert.deepEqual(asked(), ['POST /', `GET ${resourceAt}`, `GET ${serverAt}`]);
});

test('discovery converts each HTTP failure to its failure kind and rethrows a programming error', async (t) => {
  const { origin } = await startServer(t);
  const url = new URL(`${origin}/mcp`);
  for (const [kind, expected, code] of [
    ['unreachable', 'transient', 'unreachable'],
    ['timeout', 'transient', 'timeout'],
    ['certificate', 'transient', 'certificate'],
    ['unverified', 'transient', 'unverified'],
    ['proxy', 'transient', 'proxy'],
    ['cancelled', 'cancelled', 'cancelled'],
    ['tooLarge', 'invalidResponse', 'too_large'],
    ['insecure', 'unsafe', 'insecure'],
  ] as const) {
    const http: Http = () => Promise.reject(new HttpFailure(kind, url.host));
    await fails(() => discover(http, url), expected, { step: 'discovery', code, host: url.host });
  }
  await assert.rejects(
    discover(() => Promise.reject(new RangeError('bug')), url),
    RangeError,
  );
});

/** Makes the MCP server demand a token with a Bearer challenge that has these parameters. */
function challengeWith(routes: LoopbackServer['routes'], parameters: string): void {
  routes['/mcp'] = { status: 401, headers: { 'www-authenticate': `Bearer ${parameters}` } };
}
