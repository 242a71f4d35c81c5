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
import { failing } from './transports.ts';

const url = new URL('https://mcp.example.test/');
const request = { method: 'GET', url, privateAddresses: 'refuse', redirects: 'sameOrigin' } as const;

test('A23: hosts that are private by themselves are refused before anything is sent, on a desktop and in a browser', async () => {
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
      const asked = { ...request, url: new URL(`https://${host}/`) };
      assert.equal(await failing(http, asked), 'privateAddress', host);
      assert.equal(await failing(http, { ...asked, method: 'POST', body: 'code=1' }), 'privateAddress', host);
    }
  }
});

test('A23: a name is refused if one of its addresses is private', async (t) => {
  for (const addresses of [['10.0.0.1'], ['8.8.8.8', '192.168.0.1'], ['2606:4700::1111', 'fd00::1']]) {
    const { http, paths } = await start(t, async () => addresses);
    assert.equal(await failing(http, request), 'privateAddress', String(addresses));
    assert.deepEqual(paths(), []);
  }
});

test('A23: a name with public addresses is asked', async (t) => {
  const names: string[] = [];
  const { http } = await start(t, async (name) => {
    names.push(name);
    return ['8.8.8.8', '2606:4700::1111'];
  });
  assert.equal((await http(request)).body, 'hello');
  assert.deepEqual(names, ['mcp.example.test']);
});

test('A23: a name that cannot be looked up is left to the proxy', async (t) => {
  const { http } = await start(t, () => Promise.reject(new Error('ENOTFOUND')));
  assert.equal((await http(request)).body, 'hello');
});

test('A23: a lookup that takes longer than 3 s is not waited for', async (t) => {
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
  const asked = http(request);
  await begun.promise;
  clock.advance(2_999);
  assert.deepEqual(paths(), []);
  clock.advance(1);
  assert.equal((await asked).body, 'hello');
  assert.equal(clock.pendingTimers, 0);
});

test('A23: a cancel does not wait for the lookup, and nothing is sent after it', async (t) => {
  const answer = Promise.withResolvers<string[]>();
  const { http, paths } = await start(t, () => answer.promise);
  const caller = new AbortController();
  const failed = failing(http, { ...request, signal: caller.signal });
  caller.abort();
  assert.equal(await failed, 'cancelled');
  answer.resolve(['8.8.8.8']);
  await http({ ...request, url: new URL('/after', url), privateAddresses: 'allow' });
  assert.deepEqual(paths(), ['/after']);
});

test('A23: each hop of a redirect is judged anew', async (t) => {
  const answers = [['8.8.8.8'], ['127.0.0.1']];
  const { http, paths } = await start(t, async () => answers.shift() ?? assert.fail('asked a third time'));
  assert.equal(await failing(http, { ...request, url: new URL('/redirects', url) }), 'privateAddress');
  assert.deepEqual(paths(), ['/redirects']);
});

test('where private addresses are in order nothing is looked up', async (t) => {
  const { http } = await start(t, () => assert.fail('looked up'));
  assert.equal((await http({ ...request, privateAddresses: 'allow' })).body, 'hello');
  assert.equal((await http({ method: 'GET', url })).body, 'hello');
});

test('A23: the desktop looks names up with the system’s resolver', async (t) => {
  const addresses = await lookup(hostname(), { all: true }).catch(() => []);
  if (!addresses.some(({ address }) => isPrivateAddress(address))) {
    t.skip('this computer’s own name has no private address');
    return;
  }
  const http = createPlatformHttp({ userAgent: 'test/1', hostFetch: () => assert.fail('sent') });
  assert.equal(await failing(http, { ...request, url: new URL(`https://${hostname()}/`) }), 'privateAddress');
});

/** A server named mcp.example.test, and an `Http` whose lookups are the test's. */
async function start(t: TestContext, find: (name: string) => Promise<string[]>, clock = new FakeClock()) {
  const authority = await Authority.create(t);
  const credentials = await authority.issue('DNS:mcp.example.test');
  const { port, received } = await startTlsServer(t, credentials, (asked, response) => {
    if (asked.url === '/redirects') {
      response.writeHead(302, { location: '/' });
    }
    response.end('hello');
  });
  const proxy = await startProxy(t, { password: 'p', port });
  const host = createFetchTransport(fetchThrough(t, proxy.url, 'p', authority));
  return { http: createHttp({ host, lookup: find, clock }), paths: () => received.map((each) => each.url) };
}
