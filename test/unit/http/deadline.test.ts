import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Agent, fetch as undiciFetch } from 'undici';
import { createDirectUpstream } from '#platform/pools';
import { createHttp } from '../../../src/http/client.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import { FakeClock } from '../fakeClock.ts';
import { startServer } from '../oauth/loopbackServer.ts';
import { failing, ways } from './transports.ts';

/** How long the stalled requests here may take. */
const deadlineMs = 60;

/** Where an exchange stands still. Each resolves `stalled` there, and `left` when the connection is gone. */
const stalls: Record<string, (t: TestContext) => Promise<Stall>> = {
  'while the connection is secured': async (t) => {
    // It accepts, and never answers the TLS hello.
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connected = once(server, 'connection') as Promise<[Socket]>;
    t.after(async () => {
      const [socket] = await connected;
      socket.destroy();
      server.close();
    });
    // undici hears of the end only once it is connected, so there is no `left` to wait for.
    return { url: new URL(`https://127.0.0.1:${port}/`), stalled: connected, left: Promise.resolve() };
  },
  'before the answer': async (t) => {
    const { origin, routes } = await startServer(t);
    const { stalled, reached, left, close } = milestones();
    routes['/'] = (_received, response) => {
      response.on('close', close);
      reached();
      return undefined;
    };
    return { url: new URL(origin), stalled, left };
  },
  'within the answer': async (t) => {
    const { origin, routes } = await startServer(t);
    const { stalled, reached, left, close } = milestones();
    routes['/'] = (_received, response) => {
      response.on('close', close).write('{', () => reached());
      return undefined;
    };
    return { url: new URL(origin), stalled, left };
  },
  'in an answer that trickles without end': async (t) => {
    const { origin, routes } = await startServer(t);
    const { stalled, reached, left, close } = milestones();
    routes['/'] = (_received, response) => {
      const trickle = setInterval(() => response.write(' ', () => reached()), 5);
      response.on('close', () => {
        clearInterval(trickle);
        close();
      });
      return undefined;
    };
    return { url: new URL(origin), stalled, left };
  },
};

for (const [way, http] of Object.entries(ways)) {
  for (const [where, begin] of Object.entries(stalls)) {
    test(`${way}: a stall ${where} ends at the deadline, and the connection with it`, async (t) => {
      const { url, left } = await begin(t);
      assert.equal(await failing(http, { method: 'POST', url, body: 'a=b', deadlineMs }), 'timeout');
      await left;
    });

    test(`${way}: a cancel ${where} ends the request at once`, async (t) => {
      const { url, stalled, left } = await begin(t);
      const caller = new AbortController();
      const failed = failing(http, { method: 'GET', url, signal: caller.signal });
      await stalled;
      caller.abort();
      assert.equal(await failed, 'cancelled');
      await left;
      assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
    });
  }

  test(`${way}: what is cancelled before it starts is not sent`, async (t) => {
    const { origin, received } = await startServer(t);
    const signal = AbortSignal.abort();
    assert.equal(await failing(http, { method: 'GET', url: new URL(origin), signal }), 'cancelled');
    await http({ method: 'GET', url: new URL('/after', origin) });
    assert.deepEqual(
      received.map(({ path }) => path),
      ['/after'],
    );
  });

  test(`${way}: a caller’s signal is let go with the answer, and a cancel after it changes nothing`, async (t) => {
    const { origin, routes } = await startServer(t);
    routes['/'] = { body: 'whole' };
    const caller = new AbortController();
    const answer = await http({ method: 'GET', url: new URL(origin), signal: caller.signal });
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
    caller.abort();
    assert.equal(answer.body, 'whole');
  });

  test(`${way}: one deadline holds for all redirects together`, async (t) => {
    const { origin, routes, asked } = await startServer(t);
    const { stalled, reached } = milestones();
    routes['/'] = { status: 302, headers: { location: '/slow' } };
    routes['/slow'] = () => {
      reached();
      return undefined;
    };
    const request = { method: 'GET', url: new URL(origin), redirects: 'sameOrigin', deadlineMs: 200 } as const;
    assert.equal(await failing(http, request), 'timeout');
    await stalled;
    assert.deepEqual(asked(), ['GET /', 'GET /slow']);
  });
}

test('connecting has a deadline of its own, whoever connects', async (t) => {
  const begin = stalls['while the connection is secured'] ?? assert.fail();
  const direct = createDirectUpstream({ connectTimeoutMs: deadlineMs }) ?? assert.fail();
  // Stands in for the host's `fetch`, which gives up by undici's default of 10 s.
  const dispatcher = new Agent({ connect: { timeout: deadlineMs } });
  const impatientFetch = (input: URL, init: object) => undiciFetch(input, { ...init, dispatcher });
  const host = createFetchTransport(impatientFetch as unknown as typeof fetch);
  // The clock stands still: no other deadline can pass.
  for (const http of [
    createHttp({ direct, host, clock: new FakeClock() }),
    createHttp({ host, clock: new FakeClock() }),
  ]) {
    const { url } = await begin(t);
    assert.equal(await failing(http, { method: 'GET', url }), 'timeout');
  }
});

test('an answer may take 30 seconds unless its request says otherwise', async () => {
  const clock = new FakeClock();
  const fetchNever: typeof fetch = () => new Promise(() => undefined);
  const http = createHttp({ host: createFetchTransport(fetchNever), clock });
  const failed = failing(http, { method: 'GET', url: new URL('https://example.test/') });
  let settled = false;
  const noting = failed.then(() => {
    settled = true;
  });
  clock.advance(29_999);
  await turn();
  assert.equal(settled, false);
  clock.advance(1);
  await noting;
  assert.equal(await failed, 'timeout');
  assert.equal(clock.pendingTimers, 0);
});

interface Stall {
  url: URL;
  stalled: Promise<unknown>;
  left: Promise<unknown>;
}

function milestones() {
  const { promise: stalled, resolve: reached } = Promise.withResolvers<void>();
  const { promise: left, resolve: close } = Promise.withResolvers<void>();
  return { stalled, reached, left, close };
}

/** Lets everything run that waits for no event. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
