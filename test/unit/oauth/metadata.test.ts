import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discover } from '../../../src/oauth/discovery.ts';
import { fails } from './failing.ts';
import { fetchHttp } from './fetchHttp.ts';
import { metadata, notionLike, resourceAt, serverAt } from './notionLike.ts';

test('A5: metadata with another issuer is not used', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  for (const issuer of ['https://evil.example', `${origin}/other`, origin.replace('http', 'HTTP'), `${origin}//`]) {
    routes[serverAt] = { body: { ...metadata(origin), issuer } };
    await fails(() => discover(fetchHttp, mcp), 'unsafe', { code: 'issuer_mismatch' });
  }
});

test('A5: issuers that differ only in one trailing slash are the same, and the metadata’s spelling is recorded', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  routes[serverAt] = { body: { ...metadata(origin), issuer: `${origin}/` } };
  assert.equal((await discover(fetchHttp, mcp)).authorizationServer.issuer, `${origin}/`);
  routes[`${resourceAt}/mcp`] = { body: { resource: mcp.href, authorization_servers: [`${origin}/`] } };
  routes[serverAt] = { body: metadata(origin) };
  assert.equal((await discover(fetchHttp, mcp)).authorizationServer.issuer, origin);
});

for (const [title, change] of Object.entries<Record<string, unknown>>({
  'no PKCE methods': { code_challenge_methods_supported: undefined },
  'only plain PKCE': { code_challenge_methods_supported: ['plain'] },
  'PKCE methods that are not a list': { code_challenge_methods_supported: 'S256' },
})) {
  test(`A20: an authorization server that advertises ${title} is rejected`, async (t) => {
    const { origin, routes, mcp } = await notionLike(t);
    routes[serverAt] = { body: metadata(origin, change) };
    await fails(() => discover(fetchHttp, mcp), 'unsafe', { code: 'no_pkce_s256' });
  });
}

for (const name of ['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'revocation_endpoint']) {
  test(`A19, A22: metadata whose ${name} is not a secure URL is rejected`, async (t) => {
    const { origin, routes, mcp } = await notionLike(t);
    for (const url of [
      'http://as.example.com/x',
      'javascript:alert(1)',
      'file:///etc/passwd',
      'https://a:b@as.example/',
    ]) {
      routes[serverAt] = { body: metadata(origin, { [name]: url }) };
      await fails(() => discover(fetchHttp, mcp), 'unsafe', { code: 'insecure' });
    }
    routes[serverAt] = { body: metadata(origin, { [name]: 'not a url' }) };
    await fails(() => discover(fetchHttp, mcp), 'invalidResponse', { missing: name });
  });
}

for (const name of ['authorization_endpoint', 'token_endpoint', 'issuer']) {
  test(`the failure for authorization server metadata without ${name} lists that field and the URLs that were tried`, async (t) => {
    const { origin, routes, mcp } = await notionLike(t);
    routes[serverAt] = { body: metadata(origin, { [name]: undefined }) };
    await fails(() => discover(fetchHttp, mcp), 'invalidResponse', {
      missing: name,
      lookedAt: [`${origin}${resourceAt}/mcp`, `${origin}${serverAt}`],
    });
  });
}

test('the failure for resource metadata without authorization servers lists that field and the URL that was tried', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  for (const authorization_servers of [undefined, [], 'https://as.example', [1], ['']]) {
    routes[`${resourceAt}/mcp`] = { body: { resource: mcp.href, authorization_servers } };
    await fails(() => discover(fetchHttp, mcp), 'invalidResponse', {
      code: 'no_authorization_servers',
      missing: 'authorization_servers',
      lookedAt: [`${origin}${resourceAt}/mcp`],
    });
  }
});

test('A24: metadata about another resource is refused', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  for (const resource of [
    'https://evil.example/mcp',
    `${origin}/other`,
    `${origin}/mcp/deeper`,
    `${origin}/mc`,
    `${origin}/mcp?x`,
    `${origin}/mcp#x`,
    origin.replace('http:', 'https:'),
    'mcp',
    '',
  ]) {
    routes[`${resourceAt}/mcp`] = { body: { resource, authorization_servers: [origin] } };
    await fails(() => discover(fetchHttp, mcp), 'unsafe', { code: 'resource_mismatch' });
  }
});

test('A13, A24: a published resource with a trailing slash is accepted, and resource is sent without the slash', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  routes[`${resourceAt}/mcp`] = { body: { resource: `${origin}/mcp/`, authorization_servers: [origin] } };
  assert.equal((await discover(fetchHttp, mcp)).resource, `${origin}/mcp`);
});

test('discovery records the authorization server’s iss support, client metadata document support and scopes', async (t) => {
  const { origin, routes, mcp } = await notionLike(t);
  routes[serverAt] = {
    body: metadata(origin, {
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      scopes_supported: ['default', 'offline_access'],
    }),
  };
  const { authorizationServer } = await discover(fetchHttp, mcp);
  assert.equal(authorizationServer.issParameterSupported, true);
  assert.equal(authorizationServer.clientIdMetadataDocumentSupported, true);
  assert.deepEqual(authorizationServer.scopesSupported, ['default', 'offline_access']);
});
