import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import { longestBody } from '../../../src/http/client.ts';
import { startServer } from '../oauth/loopbackServer.ts';
import { Authority } from './authority.ts';
import { fetchThrough, startProxy } from './connectProxy.ts';
import { startTlsServer } from './tlsServer.ts';
import { failing } from './transports.ts';

/** Only the proxy knows this host. */
const url = new URL('https://mcp.example.test/token');
const password = 'p:ss word';
const request = { method: 'POST', url, body: 'code=1', privateAddresses: 'refuse' } as const;

test('a request goes through the proxy that the host’s fetch knows, to a host that only the proxy can find', async (t) => {
  const { authority, port, received } = await startBehind(t);
  const proxy = await startProxy(t, { password, port });
  const http = through(fetchThrough(t, proxy.url, password, authority));
  const { status, body } = await http({ ...request, headers: { authorization: 'Bearer a:b' } });
  assert.deepEqual([status, body], [200, 'code=1']);
  assert.deepEqual(proxy.tunnels, ['mcp.example.test:443']);
  const [{ headers } = assert.fail()] = received;
  assert.deepEqual([headers['user-agent'], headers.authorization], ['test/1', 'Bearer a:b']);
  assert.equal(headers['proxy-authorization'], undefined);
});

test('a request to this computer goes past the proxy', async (t) => {
  const { origin, routes } = await startServer(t);
  routes['/'] = { body: 'here' };
  const proxy = await startProxy(t, { password });
  const http = through(fetchThrough(t, proxy.url, password));
  assert.equal((await http({ method: 'GET', url: new URL(origin) })).body, 'here');
  assert.deepEqual(proxy.tunnels, []);
});

test('a proxy that wants another password is to blame', async (t) => {
  const { authority, port, received } = await startBehind(t);
  const proxy = await startProxy(t, { password, port });
  assert.equal(await failing(through(fetchThrough(t, proxy.url, 'wrong', authority)), request), 'proxy');
  assert.deepEqual(received, []);
});

test('a proxy that finds nothing at the other end is to blame', async (t) => {
  const proxy = await startProxy(t, { password });
  assert.equal(await failing(through(fetchThrough(t, proxy.url, password)), request), 'proxy');
});

test('a proxy that is not there is to blame', async (t) => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  for (const proxyUrl of [`http://127.0.0.1:${port}`, 'http://proxy.invalid:3128']) {
    assert.equal(await failing(through(fetchThrough(t, proxyUrl, password)), request), 'proxy', proxyUrl);
  }
});

test('a proxy that stalls is waited for until the deadline', async (t) => {
  const proxy = await startProxy(t, { password, stalls: true });
  const http = through(fetchThrough(t, proxy.url, password));
  assert.equal(await failing(http, { ...request, deadlineMs: 200 }), 'timeout');
});

test('A26: behind a proxy a server of an authority that nobody knows is refused as anywhere', async (t) => {
  const { port, received } = await startBehind(t);
  const proxy = await startProxy(t, { password, port });
  assert.equal(await failing(through(fetchThrough(t, proxy.url, password)), request), 'certificate');
  assert.deepEqual(received, []);
});

test('the policy is the same behind a proxy: redirects, length, deadline', async (t) => {
  const authority = await Authority.create(t);
  const { port, received } = await startTlsServer(
    t,
    await authority.issue('DNS:mcp.example.test'),
    (asked, response) => {
      switch (asked.url) {
        case '/redirects':
          response.writeHead(307, { location: 'https://elsewhere.example.test/' }).end();
          break;
        case '/pours':
          response.end('x'.repeat(longestBody + 1));
          break;
        default:
          response.write('{');
      }
    },
  );
  const proxy = await startProxy(t, { password, port });
  const http = through(fetchThrough(t, proxy.url, password, authority));
  const get = (path: string) => ({ method: 'GET', url: new URL(path, url), redirects: 'sameOrigin' }) as const;
  assert.equal(await failing(http, get('/redirects')), 'redirected');
  assert.equal(await failing(http, get('/pours')), 'tooLarge');
  assert.equal(await failing(http, { ...get('/stalls'), deadlineMs: 200 }), 'timeout');
  assert.equal(received.length, 3);
});

function through(hostFetch: typeof fetch) {
  return createPlatformHttp({ userAgent: 'test/1', hostFetch });
}

/** A server that answers with what it was sent, for whoever gets through to it. */
async function startBehind(t: TestContext) {
  const authority = await Authority.create(t);
  const credentials = await authority.issue('DNS:mcp.example.test');
  const server = await startTlsServer(t, credentials, async (asked, response) => {
    response.end(await text(asked));
  });
  return { authority, ...server };
}
