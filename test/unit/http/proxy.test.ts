import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import { createHttp, longestBody } from '../../../src/http/client.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import { FakeClock } from '../fakeClock.ts';
import { startServer } from '../oauth/loopbackServer.ts';
import { Authority } from './authority.ts';
import { fetchThrough, startProxy } from './connectProxy.ts';
import { startTlsServer } from './tlsServer.ts';
import { failureKindOf } from './transports.ts';

/** Only the proxy can resolve this host. */
const url = new URL('https://mcp.example.test/token');
const password = 'p:ss word';
const request = { method: 'POST', url, body: 'code=1', privateAddresses: 'refuse' } as const;

test('a request goes through the proxy of the host’s fetch to a host that only the proxy can resolve', async (t) => {
  const { authority, port, received } = await startEchoServer(t);
  const proxy = await startProxy(t, { password, port });
  const http = httpWith(fetchThrough(t, proxy.url, password, authority));
  const { status, body } = await http({ ...request, headers: { authorization: 'Bearer a:b' } });
  assert.deepEqual([status, body], [200, 'code=1']);
  assert.deepEqual(proxy.tunnels, ['mcp.example.test:443']);
  const [{ headers } = assert.fail()] = received;
  assert.deepEqual([headers['user-agent'], headers.authorization], ['test/1', 'Bearer a:b']);
  assert.equal(headers['proxy-authorization'], undefined);
});

test('a request to loopback bypasses the proxy', async (t) => {
  const { origin, routes } = await startServer(t);
  routes['/'] = { body: 'here' };
  const proxy = await startProxy(t, { password });
  const http = httpWith(fetchThrough(t, proxy.url, password));
  assert.equal((await http({ method: 'GET', url: new URL(origin) })).body, 'here');
  assert.deepEqual(proxy.tunnels, []);
});

test('nothing is sent through a proxy that rejects the password', async (t) => {
  const { authority, port, received } = await startEchoServer(t);
  const proxy = await startProxy(t, { password, port });
  assert.equal(await failureKindOf(httpWith(fetchThrough(t, proxy.url, 'wrong', authority)), request), 'proxy');
  assert.deepEqual(received, []);
});

test('a request through a proxy that stalls times out at its deadline', async (t) => {
  const proxy = await startProxy(t, { password, stalls: true });
  const http = httpWith(fetchThrough(t, proxy.url, password));
  assert.equal(await failureKindOf(http, { ...request, deadlineMs: 200 }), 'timeout');
});

test('A26: a server with an unknown certificate authority is refused behind a proxy too', async (t) => {
  const { port, received } = await startEchoServer(t);
  const proxy = await startProxy(t, { password, port });
  assert.equal(await failureKindOf(httpWith(fetchThrough(t, proxy.url, password)), request), 'certificate');
  assert.deepEqual(received, []);
});

test('the limits on redirects, body size and duration apply behind a proxy too', async (t) => {
  const authority = await Authority.create(t);
  const stalled = Promise.withResolvers<void>();
  const { port, received } = await startTlsServer(
    t,
    await authority.issue('DNS:mcp.example.test'),
    (incoming, response) => {
      switch (incoming.url) {
        case '/redirects':
          response.writeHead(307, { location: 'https://elsewhere.example.test/' }).end();
          break;
        case '/pours':
          response.end('x'.repeat(longestBody + 1));
          break;
        default:
          response.write('{', () => stalled.resolve());
      }
    },
  );
  const proxy = await startProxy(t, { password, port });
  const hostFetch = fetchThrough(t, proxy.url, password, authority);
  const http = httpWith(hostFetch);
  const get = (path: string) => ({ method: 'GET', url: new URL(path, url), redirects: 'sameOrigin' }) as const;
  assert.equal(await failureKindOf(http, get('/redirects')), 'redirected');
  assert.equal(await failureKindOf(http, get('/pours')), 'tooLarge');
  const clock = new FakeClock();
  const limited = createHttp({ transport: createFetchTransport(hostFetch), clock });
  const failed = failureKindOf(limited, { ...get('/stalls'), deadlineMs: 20_000 });
  await stalled.promise;
  clock.advance(20_000);
  assert.equal(await failed, 'timeout');
  assert.equal(received.length, 3);
});

function httpWith(hostFetch: typeof fetch) {
  return createPlatformHttp({ userAgent: 'test/1', hostFetch });
}

/** A server for the proxy to tunnel to, which echoes the body of each request. */
async function startEchoServer(t: TestContext) {
  const authority = await Authority.create(t);
  const credentials = await authority.issue('DNS:mcp.example.test');
  const server = await startTlsServer(t, credentials, async (incoming, response) => {
    response.end(await text(incoming));
  });
  return { authority, ...server };
}
