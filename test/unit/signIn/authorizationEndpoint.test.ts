import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { createHttp } from '../../../src/http/client.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import { FakeClock } from '../fakeClock.ts';
import { Authority } from '../http/authority.ts';
import { fetchThrough, startProxy } from '../http/connectProxy.ts';
import { startTlsServer } from '../http/tlsServer.ts';
import { SignInUnderTest } from './signInUnderTest.ts';

const origin = 'https://mcp.example.test';
const publicAddress = '8.8.8.8';
const privateEndpoints: [endpoint: string, address: string][] = [
  ['http://127.0.0.1:8080/admin', publicAddress],
  ['http://localhost:8080/admin', publicAddress],
  ['https://[::1]/admin', publicAddress],
  ['https://192.168.0.1/admin', publicAddress],
  ['https://169.254.169.254/latest', publicAddress],
  ['https://[::ffff:a00:1]/admin', publicAddress],
  ['https://router.example.test/admin', '192.168.0.1'],
  ['https://rebound.example.test/admin', '::1'],
];

for (const [endpoint, address] of privateEndpoints) {
  const how = address === publicAddress ? '' : ` (its name leads to ${address})`;
  test(`A23: a public server cannot send the browser to ${endpoint}${how}`, async (t) => {
    const { signIn, paths } = await startServer(t, endpoint, { [new URL(endpoint).hostname]: address });
    const confirmed: string[] = [];
    const confirmHosts = async (...hosts: string[]) => confirmed.push(...hosts) > 0;
    await assert.rejects(signIn.run({ serverUrl: new URL(`${origin}/mcp`), confirmHosts }), {
      kind: 'unsafe',
      message: 'unsafe at discovery: private_address',
    });
    assert.deepEqual(signIn.openedUrls, []);
    assert.deepEqual(confirmed, []);
    assert.ok(!paths().includes('/register'));
  });
}

for (const [what, endpoint, addresses] of [
  ['a public server sends it to another public server', 'https://login.example.test/authorize', {}],
  ['no address of the server is known here', 'https://login.example.test/authorize', { 'login.example.test': '' }],
  ['the server is on a private network', 'https://192.168.0.1/authorize', { 'mcp.example.test': '192.168.0.2' }],
] as const) {
  test(`A23: the browser is sent to the authorization endpoint if ${what}`, async (t) => {
    const { signIn } = await startServer(t, endpoint, addresses);
    signIn.decision = undefined;
    const cancel = new AbortController();
    const run = signIn.run({ serverUrl: new URL(`${origin}/mcp`), signal: cancel.signal });
    await Promise.race([signIn.waitForBrowser(1), run]);
    assert.ok(signIn.openedUrls[0]?.startsWith(`${endpoint}?`), signIn.openedUrls[0]);
    cancel.abort();
    await assert.rejects(run, { kind: 'cancelled' });
  });
}

/** A sign-in at a server named mcp.example.test. Names have the given addresses; an empty one cannot be looked up. */
async function startServer(t: TestContext, endpoint: string, addresses: Record<string, string>) {
  const authority = await Authority.create(t);
  const credentials = await authority.issue('DNS:mcp.example.test');
  const { port, received } = await startTlsServer(t, credentials, respondWith(endpoint));
  const proxy = await startProxy(t, { password: 'p', port });
  const lookup = async (name: string): Promise<string[]> =>
    addresses[name] === '' ? Promise.reject(new Error('ENOTFOUND')) : [addresses[name] ?? publicAddress];
  const transport = createFetchTransport(fetchThrough(t, proxy.url, 'p', authority));
  const http = createHttp({ transport, lookup, clock: new FakeClock() });
  const signIn = await SignInUnderTest.start(t, { http, lookup });
  return { signIn, paths: () => received.map(({ url }) => url) };
}

/** Responds as an MCP server that is its own authorization server, with this authorization endpoint. */
function respondWith(authorizationEndpoint: string): RequestListener {
  const documents: Record<string, object> = {
    '/.well-known/oauth-protected-resource/mcp': { resource: `${origin}/mcp`, authorization_servers: [origin] },
    '/.well-known/oauth-authorization-server': {
      issuer: origin,
      authorization_endpoint: authorizationEndpoint,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      code_challenge_methods_supported: ['S256'],
    },
    '/register': { client_id: 'client' },
  };
  return ({ url = '' }, response) => {
    response.writeHead(documents[url] === undefined ? 404 : url === '/register' ? 201 : 200, {
      'content-type': 'application/json',
    });
    response.end(JSON.stringify(documents[url] ?? {}));
  };
}
