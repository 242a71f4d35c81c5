import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createHttp } from '../../../src/http/client.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import { FakeClock } from '../fakeClock.ts';
import { startServer } from '../oauth/loopbackServer.ts';
import { failureKindOf, transportsBy } from './transports.ts';

/** The deadline of the requests that stall in these tests. */
const deadlineMs = 20_000;

/** Stands still, however long a busy machine takes until an exchange stalls. */
const clock = new FakeClock();

/** The points where an exchange can stall. `stalled` resolves at that point, `closed` when the connection is closed. */
const stalls: Record<string, (t: TestContext) => Promise<Stall>> = {
  'during the TLS handshake': async (t) => {
    // Accepts connections and never responds to the TLS hello.
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connected = once(server, 'connection') as Promise<[Socket]>;
    t.after(async () => {
      const [socket] = await connected;
      socket.destroy();
      server.close();
    });
    // undici reacts to an abort only once it is connected, so there is no `closed` to wait for.
    return { url: new URL(`https://127.0.0.1:${port}/`), stalled: connected, closed: Promise.resolve() };
  },
  'before the response': async (t) => {
    const { origin, routes } = await startServer(t);
    const { stalled, reached, closed, close } = milestones();
    routes['/'] = (_received, response) => {
      response.on('close', close);
      reached();
      return undefined;
    };
    return { url: new URL(origin), stalled, closed };
  },
  'within the response': async (t) => {
    const { origin, routes } = await startServer(t);
    const { stalled, reached, closed, close } = milestones();
    routes['/'] = (_received, response) => {
      response.on('close', close).write('{', () => reached());
      return undefined;
    };
    return { url: new URL(origin), stalled, closed };
  },
  'in a response that trickles endlessly': async (t) => {
    const { origin, routes } = await startServer(t);
    const { stalled, reached, closed, close } = milestones();
    routes['/'] = (_received, response) => {
      const trickle = setInterval(() => response.write(' ', () => reached()), 5);
      response.on('close', () => {
        clearInterval(trickle);
        close();
      });
      return undefined;
    };
    return { url: new URL(origin), stalled, closed };
  },
};

for (const [name, http] of Object.entries(transportsBy(clock))) {
  for (const [where, begin] of Object.entries(stalls)) {
    test(`${name}: a request that hangs ${where} fails at the deadline and its connection is closed`, async (t) => {
      const { url, stalled, closed } = await begin(t);
      const failed = failureKindOf(http, { method: 'POST', url, body: 'a=b', deadlineMs });
      await stalled;
      clock.advance(deadlineMs);
      assert.equal(await failed, 'timeout');
      await closed;
    });

    test(`${name}: a request that hangs ${where} ends at once when it is cancelled`, async (t) => {
      const { url, stalled, closed } = await begin(t);
      const caller = new AbortController();
      const failed = failureKindOf(http, { method: 'GET', url, signal: caller.signal });
      await stalled;
      caller.abort();
      assert.equal(await failed, 'cancelled');
      await closed;
      assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
    });
  }

  test(`${name}: a request that is cancelled before it starts is not sent`, async (t) => {
    const { origin, received } = await startServer(t);
    const signal = AbortSignal.abort();
    assert.equal(await failureKindOf(http, { method: 'GET', url: new URL(origin), signal }), 'cancelled');
    await http({ method: 'GET', url: new URL('/after', origin) });
    assert.deepEqual(
      received.map(({ path }) => path),
      ['/after'],
    );
  });

  test(`${name}: after a response the caller’s signal has no listeners and aborting it has no effect`, async (t) => {
    const { origin, routes } = await startServer(t);
    routes['/'] = { body: 'whole' };
    const caller = new AbortController();
    const response = await http({ method: 'GET', url: new URL(origin), signal: caller.signal });
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
    caller.abort();
    assert.equal(response.body, 'whole');
  });

  test(`${name}: one deadline covers all redirects together`, async (t) => {
    const { origin, routes, asked } = await startServer(t);
    const { stalled, reached } = milestones();
    routes['/'] = () => {
      clock.advance(deadlineMs / 2);
      return { status: 302, headers: { location: '/slow' } };
    };
    routes['/slow'] = () => {
      reached();
      return undefined;
    };
    const failed = failureKindOf(http, { method: 'GET', url: new URL(origin), redirects: 'sameOrigin', deadlineMs });
    await stalled;
    clock.advance(deadlineMs / 2);
    assert.equal(await failed, 'timeout');
    assert.deepEqual(asked(), ['GET /', 'GET /slow']);
  });
}

test('a request without a deadline of its own times out after 30 seconds', async () => {
  const fetchNever: typeof fetch = () => new Promise(() => undefined);
  const http = createHttp({ transport: createFetchTransport(fetchNever), clock });
  const failed = failureKindOf(http, { method: 'GET', url: new URL('https://example.test/') });
  let settled = false;
  const settling = failed.then(() => {
    settled = true;
  });
  clock.advance(29_999);
  await turn();
  assert.equal(settled, false);
  clock.advance(1);
  await settling;
  assert.equal(await failed, 'timeout');
  assert.equal(clock.pendingTimers, 0);
});

interface Stall {
  url: URL;
  stalled: Promise<unknown>;
  closed: Promise<unknown>;
}

function milestones() {
  const { promise: stalled, resolve: reached } = Promise.withResolvers<void>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  return { stalled, reached, closed, close };
}

/** Lets the event loop turn once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
