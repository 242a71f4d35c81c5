import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discover } from '../../../src/oauth/discovery.ts';
import { fails } from './failing.ts';
import { asPublicHost, fetchHttp } from './fetchHttp.ts';
import { html, startServer } from './loopbackServer.ts';
import { metadata, notionLike, openIdAt, resourceAt, serverAt } from './notionLike.ts';

test('the origin of a 2025-03-26 server without resource metadata is its authorization server', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  delete routes[`${resourceAt}/mcp`];
  routes['/mcp'] = { status: 401 };
  routes[serverAt] = { body: metadata(origin, { token_endpoint: `${origin}/oauth/token` }) };
  const { authorizationServer, resource } = await discover(fetchHttp, mcp);
  assert.equal(authorizationServer.tokenEndpoint, `${origin}/oauth/token`);
  assert.equal(resource, `${origin}/mcp`);
});

test('the endpoints of a 2025-03-26 server without any metadata have fixed paths', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  delete routes[`${resourceAt}/mcp`];
  delete routes[serverAt];
  routes['/mcp'] = { status: 401 };
  const { authorizationServer } = await discover(fetchHttp, mcp);
  assert.deepEqual(authorizationServer, {
    issuer: origin,
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    registrationEndpoint: `${origin}/register`,
    onPrivateNetwork: true,
  });
});

for (const [title, response] of Object.entries({
  'a firewall’s 403': { ...html, status: 403 },
  'a 401': { status: 401 },
  'HTML and 200': html,
  'a redirect to a login page': { status: 302, headers: { location: 'https://login.example.com/' } },
})) {
  for (const path of [`${resourceAt}/mcp`, resourceAt, serverAt, openIdAt]) {
    test(`A20: the fixed paths of 2025-03-26 are not assumed if ${path} responds with ${title}`, async (t) => {
      const { routes, mcp } = await notionLike(t);
      delete routes[`${resourceAt}/mcp`];
      delete routes[serverAt];
      routes['/mcp'] = { status: 401 };
      routes[path] = response;
      await fails(() => discover(fetchHttp, mcp), 'invalidResponse', { code: 'no_resource_metadata' });
    });
  }
}

test('A20: the fixed paths of 2025-03-26 are assumed if every metadata URL responds with 410', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  for (const path of [`${resourceAt}/mcp`, resourceAt, serverAt, openIdAt]) {
    routes[path] = { status: 410 };
  }
  routes['/mcp'] = { status: 401 };
  assert.equal((await discover(fetchHttp, mcp)).authorizationServer.tokenEndpoint, `${origin}/token`);
});

test('A20: a 2025-03-26 server whose OpenID document lacks S256 is refused', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  delete routes[`${resourceAt}/mcp`];
  delete routes[serverAt];
  routes[openIdAt] = { body: metadata(origin, { code_challenge_methods_supported: ['plain'] }) };
  routes['/mcp'] = { status: 401 };
  await fails(() => discover(fetchHttp, mcp), 'unsafe', { code: 'no_pkce_s256' });
});

test('A20: the fixed paths of 2025-03-26 are never assumed for mcp.notion.com', async (t) => {
  const server = await startServer(t);
  server.routes['/mcp'] = { status: 401 };
  const mcp = new URL('https://mcp.notion.com/mcp');
  await fails(() => discover(asPublicHost(server, mcp.host), mcp), 'invalidResponse', {
    code: 'no_resource_metadata',
    host: mcp.host,
  });
});

test('metadata of another issuer is rejected for a 2025-03-26 server as well', async (t) => {
  const { routes, mcp } = await notionLike(t);
  delete routes[`${resourceAt}/mcp`];
  routes[serverAt] = { body: metadata('https://evil.example') };
  await fails(() => discover(fetchHttp, mcp), 'unsafe', { code: 'issuer_mismatch' });
});

test('an ordinary website is not mistaken for a 2025-03-26 server', async (t) => {
  const server = await startServer(t);
  const mcp = new URL(`${server.origin}/mcp`);
  for (const response of [html, { ...html, status: 403 }]) {
    server.routes['/mcp'] = response;
    await fails(() => discover(fetchHttp, mcp), 'invalidResponse', {
      code: 'no_resource_metadata',
      missing: 'authorization_servers',
      lookedAt: [`${resourceAt}/mcp`, resourceAt, serverAt, openIdAt].map((path) => server.origin + path),
    });
  }
});
