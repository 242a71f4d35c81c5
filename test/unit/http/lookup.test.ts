import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { type TestContext, test } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import { createHttp } from '../../../src/http/client.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import { isPrivateAddress } from '../../../src/http/url.ts';
import { createPlatformHttp as createBrowserHttp } from '../../../src/platform/browser/transport.ts';
import { FakeClock } from '../fakeClock.ts';
import { Authority } from './authority.ts';
import { fetchThrough, startProxy } from './connectProxy.ts';
import { startTlsServer } from './tlsServer.ts';
import { failureKindOf } from './transports.ts';

const url = new URL('https://mcp.example.test/');
const request = { method: 'GET', url, privateAddresses: 'refuse', redirects: 'sameOrigin' } as const;

test('A23: private and loopback hosts are refused before anything is sent, on desktop and web', async () => {
  const refusing: typeof fetch = () => assert.fail('sent');
  for (const create of [createPlatformHttp, createBrowserHttp]) {
    const http = create({ userAgent: 'test/1', hostFetch: refusing });
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '10.0.0.1',
      '169.254.169.254',
      '[fe80::1]',
      '[::ffff:a00:1]',
    ]) {
      const toPrivateHost = { ...request, url: new URL(`https://${host}/`) };
      assert.equal(await failureKindOf(http, toPrivateHost), 'privateAddress', host);
      assert.equal(
        await failureKindOf(http, { ...toPrivateHost, method: 'POST', body: 'code=1' }),
        'privateAddress',
        host,
      );
    }
  }
});

test('A23: a host name is refused if one of its addresses is private', async (t) => {
  for (const addresses of [['10.0.0.1'], ['8.8.8.8', '192.168.0.1'], ['2606:4700::1111', 'fd00::1']]) {
    const { http, paths } = await start(t, async () => addresses);
    assert.equal(await failureKindOf(http, request), 'privateAddress', String(addresses));
    assert.deepEqual(paths(), []);
  }
});

test('A23: a request to a host name with only public addresses is sent', async (t) => {
  const names: string[] = [];
  const { http } = await start(t, async (name) => {
    names.push(name);
    return ['8.8.8.8', '2606:4700::1111'];
  });
  assert.equal((await http(request)).body, 'hello');
  assert.deepEqual(names, ['mcp.example.test']);
});

test('A23: a host name that cannot be looked up is left to the proxy', async (t) => {
  const { http } = await start(t, () => Promise.reject(new Error('ENOTFOUND')));
  assert.equal((await http(request)).body, 'hello');
});

test('A23: a request waits at most 3 s for a lookup', async (t) => {
  const clock = new FakeClock();
  const begun = Promise.withResolvers<void>();
  const { http, paths } = await start(
    t,
    () => {
      begun.resolve();
      return new Promise(() => undefined);
    },
    clock,
  );
  const response = http(request);
  await begun.promise;
  clock.advance(2_999);
  assert.deepEqual(paths(), []);
  clock.advance(1);
  assert.equal((await response).body, 'hello');
  assert.equal(clock.pendingTimers, 0);
});

test('A23: a cancelled request does not wait for its lookup and is not sent afterwards', async (t) => {
  const lookupResult = Promise.withResolvers<string[]>();
  const { http, paths } = await start(t, () => lookupResult.promise);
  const caller = new AbortController();
  const failed = failureKindOf(http, { ...request, signal: caller.signal });
  caller.abort();
  assert.equal(await failed, 'cancelled');
  lookupResult.resolve(['8.8.8.8']);
  await http({ ...request, url: new URL('/after', url), privateAddresses: 'allow' });
  assert.deepEqual(paths(), ['/after']);
});

test('A23: each hop of a redirect is checked again', async (t) => {
  const lookupResults = [['8.8.8.8'], ['127.0.0.1']];
  const { http, paths } = await start(t, async () => lookupResults.shift() ?? assert.fail('looked up a third time'));
  assert.equal(await failureKindOf(http, { ...request, url: new URL('/redirects', url) }), 'privateAddress');
  assert.deepEqual(paths(), ['/redirects']);
});

test('a request that allows private addresses is sent without a lookup', async (t) => {
  const { http } = await start(t, () => assert.fail('looked up'));
  assert.equal((await http({ ...request, privateAddresses: 'allow' })).body, 'hello');
  assert.equal((await http({ method: 'GET', url })).body, 'hello');
});

test('A23: on the desktop, host names are looked up with the system’s resolver', async (t) => {
  const addresses = await lookup(hostname(), { all: true }).catch(() => []);
  if (!addresses.some(({ address }) => isPrivateAddress(address))) {
    t.skip('the name of this machine has no private address');
    return;
  }
  const http = createPlatformHttp({ userAgent: 'test/1', hostFetch: () => assert.fail('sent') });
  assert.equal(await failureKindOf(http, { ...request, url: new URL(`https://${hostname()}/`) }), 'privateAddress');
});

/** A server named mcp.example.test, and an `Http` whose lookups the test controls. */
async function start(t: TestContext, lookUp: (name: string) => Promise<string[]>, clock = new FakeClock()) {
  const authority = await Authority.create(t);
  const credentials = await authority.issue('DNS:mcp.example.test');
  const { port, received } = await startTlsServer(t, credentials, (incoming, response) => {
    if (incoming.url === '/redirects') {
      response.writeHead(302, { location: '/' });
    }
    response.end('hello');
  });
  const proxy = await startProxy(t, { password: 'p', port });
  const transport = createFetchTransport(fetchThrough(t, proxy.url, 'p', authority));
  return { http: createHttp({ transport, lookup: lookUp, clock }), paths: () => received.map((each) => each.url) };
}
