import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { HttpFailure } from '../../../src/http/errors.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../../src/http/transport.ts';
import { until } from '../connections.ts';
import { FakeClock } from '../fakeClock.ts';
import { type GatewayUnderTest, openGateway } from './gatewayUnderTest.ts';
import { turns } from './scriptedServer.ts';

const minuteMs = 60_000;
const longTimeMs = 7 * 24 * 60 * minuteMs;

/** What ends a call that may not be used any more, and the kind of error that it then gets. */
const endings = {
  signedOut: ({ accounts }: Opened) => accounts.grants.delete('ada'),
  notOffered: ({ offer }: Opened) => {
    offer.isOn = false;
  },
};

for (const [kind, forbid] of Object.entries(endings)) {
  const title = kind === 'signedOut' ? 'a sign-out' : 'turning the offer off';

  test(`${title} ends a stream that was opened before, and later ones are refused`, async (t) => {
    const opened = await open(t);
    const { gateway, send, server } = opened;
    const [stream, upstream] = await Promise.all([send({ method: 'GET' }), server.next()]);
    const text = stream.text();
    await upstream.write('data: 1\n\n');
    forbid(opened);
    gateway.endForbiddenCalls();
    assert.equal(await text, 'data: 1\n\n');
    assert.ok(upstream.request.signal.aborted);
    assert.equal((await send({ method: 'GET' })).status, 405);
    assert.equal(server.requests.length, 1);
  });

  test(`${title} ends a call that has no response yet with an error, and later ones are refused with the same`, async (t) => {
    const opened = await open(t);
    const { gateway, server, post } = opened;
    const [response] = [post('{"jsonrpc":"2.0","id": 1.0,"method":"tools/call"}'), await server.next(false)];
    forbid(opened);
    gateway.endForbiddenCalls();
    const error = new RegExp(`^\\{"jsonrpc":"2.0","id":1.0,"error":\\{"code":-\\d+,"message":"sentence for ${kind}",`);
    assert.match(await response, error);
    assert.match(await post('{"jsonrpc":"2.0","id": 1.0,"method":"tools/list"}'), error);
    assert.equal(server.requests.length, 1);
  });

  test(`${title} ends a call whose events have begun with an error as its last event`, async (t) => {
    const opened = await open(t);
    const { gateway, server, post } = opened;
    const [response, upstream] = [post(tool), await server.next()];
    await upstream.write('data: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n');
    forbid(opened);
    gateway.endForbiddenCalls();
    const events = (await response).split('\n\n').filter((event) => event.startsWith('data: '));
    assert.deepEqual(events.map(kindIn), [undefined, kind]);
  });

  test(`${title} ends a call whose JSON has begun, one that waits for a renewal, and one in a pause`, async (t) => {
    const opened = await open(t);
    const { gateway, server, post, accounts } = opened;
    const json = post(tool);
    await (await server.next('application/json')).write('{"jsonrpc":');
    const paused = post(tool);
    await server.next('', 429, { 'retry-after': '9' });
    const renewing = Promise.withResolvers<void>();
    accounts.fresh = () => {
      renewing.resolve();
      return new Promise(() => undefined);
    };
    const waiting = post(tool);
    await renewing.promise;
    await turns(10);
    forbid(opened);
    gateway.endForbiddenCalls();
    assert.deepEqual((await Promise.all([json, paused, waiting])).map(kindIn), [kind, kind, kind]);
    assert.equal(server.requests.length, 2);
  });

  test(`${title} ends a call whose broken stream is about to be resumed, or is being resumed`, async (t) => {
    for (const isResuming of [false, true]) {
      const opened = await open(t);
      const { gateway, server, clock, post } = opened;
      const [response, upstream] = [post(tool, { 'mcp-session-id': 'session' }), await server.next()];
      await upstream.write('id: 1\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n');
      upstream.end();
      await until(() => clock.isWaiting(1_000));
      if (isResuming) {
        clock.advance(1_000);
        await server.next(false);
      }
      forbid(opened);
      gateway.endForbiddenCalls();
      assert.equal(kindIn(lastEvent(await response)), kind);
    }
  });
}

test('a sign-out ends no call of another account', async (t) => {
  const { gateway, server, accounts, post } = await open(t);
  accounts.add('grace', 'https://mcp.example.test/mcp', 'other');
  gateway.secretFor('grace');
  const [ofAda] = [post(tool), await server.next(false)];
  const [ofGrace, upstream] = [post(tool, {}, 'grace'), await server.next()];
  accounts.grants.delete('ada');
  gateway.endForbiddenCalls();
  assert.equal(kindIn(await ofAda), 'signedOut');
  await upstream.write(result);
  upstream.end();
  assert.equal(await ofGrace, result);
});

test('calls go on while their account and the offer remain', async (t) => {
  const { gateway, server, post } = await open(t);
  const [response, upstream] = [post(tool), await server.next()];
  gateway.endForbiddenCalls();
  await upstream.write(result);
  upstream.end();
  assert.equal(await response, result);
});

test('a request that takes seconds at any server gets an error after a minute, whatever the server sends', async (t) => {
  for (const method of ['initialize', 'server/discover', 'ping', 'tools/list', 'prompts/list', 'resources/list']) {
    const { server, clock, post } = await open(t);
    const [silent] = [post(rpcText(method)), await server.next(false)];
    const [busy, upstream] = [post(rpcText(method)), await server.next()];
    for (let half = 0; half < 2; half += 1) {
      clock.advance(minuteMs / 2);
      await upstream.write(':\n\n').catch(() => assert.equal(half, 1));
    }
    for (const text of [await silent, lastEvent(await busy)]) {
      assert.deepEqual(errorIn(text)?.data, { kind: 'unreachable', reason: 'timeout' }, method);
    }
  }
});

test('a notification without a response is acknowledged after a minute', async (t) => {
  const { server, clock, send } = await open(t);
  const body = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
  const [response] = [send({ body }), await server.next(false)];
  clock.advance(minuteMs);
  assert.equal((await response).status, 202);
});

test('a tool call is not ended as long as the server sends something every half hour, and gets its result', async (t) => {
  const { server, clock, post } = await open(t);
  const [response, upstream] = [post(tool), await server.next()];
  for (let time = 0; time < 10; time += 1) {
    clock.advance(30 * minuteMs - 1);
    await upstream.write(':\n\n');
  }
  await upstream.write(result);
  upstream.end();
  assert.ok((await response).endsWith(result));
});

test('a tool call gets an error after half an hour of silence, by which its caller learns that the outcome is unknown', async (t) => {
  const { server, clock, post } = await open(t);
  const [silent] = [post(tool), await server.next(false)];
  const [begun, upstream] = [post(tool), await server.next()];
  clock.advance(30 * minuteMs - 1);
  await upstream.write(':\n\n');
  clock.advance(1);
  const outcomeUnknown = { kind: 'outcomeUnknown', reason: 'timeout' };
  assert.deepEqual(errorIn(await silent)?.data, outcomeUnknown);
  clock.advance(30 * minuteMs - 2);
  assert.equal(upstream.request.signal.aborted, false);
  clock.advance(1);
  assert.deepEqual(errorIn(lastEvent(await begun))?.data, outcomeUnknown);
});

test('a tool call that waits for a renewal for half an hour was not sent or rejected, so its outcome is known', async (t) => {
  for (const isRejected of [false, true]) {
    const { accounts, server, clock, post } = await open(t);
    const renewing = Promise.withResolvers<void>();
    accounts[isRejected ? 'renew' : 'fresh'] = () => {
      renewing.resolve();
      return new Promise(() => undefined);
    };
    const response = post(tool);
    if (isRejected) {
      (await server.next('', 401)).end();
    }
    await renewing.promise;
    clock.advance(30 * minuteMs);
    assert.deepEqual(errorIn(await response)?.data, { kind: 'unreachable', reason: 'timeout' });
  }
});

test('a stream for the server’s own messages may be silent for days', async (t) => {
  const { server, clock, post, send } = await open(t);
  const [stream, upstream] = await Promise.all([send({ method: 'GET' }), server.next()]);
  const [listening, listened] = [post(rpcText('subscriptions/listen')), await server.next()];
  clock.advance(longTimeMs);
  await turns(5);
  await upstream.write('data: 1\n\n');
  upstream.end();
  await listened.write(result);
  listened.end();
  assert.equal(await stream.text(), 'data: 1\n\n');
  assert.equal(await listening, result);
});

for (const [change, happen] of Object.entries({
  'an address of the computer is lost': ({ addresses }: Opened) => addresses.delete('192.0.2.1'),
  'the computer slept for more than half a minute': ({ clock }: Opened) => clock.jump(40_001),
})) {
  test(`calls to another machine end when ${change}, and the caller learns what became of them`, async (t) => {
    const opened = await open(t);
    const { server, clock, post, send } = opened;
    const [stream] = await Promise.all([send({ method: 'GET' }), server.next()]);
    const [list] = [post(rpcText('tools/list')), await server.next(false)];
    const [call] = [post(tool), await server.next(false)];
    happen(opened);
    clock.advance(10_000);
    assert.deepEqual(errorIn(await list)?.data, { kind: 'unreachable', reason: 'interrupted' });
    assert.deepEqual(errorIn(await call)?.data, { kind: 'outcomeUnknown', reason: 'interrupted' });
    assert.equal(await stream.text(), '');
  });

  test(`calls to this machine go on when ${change}`, async (t) => {
    const opened = await open(t, 'http://127.0.0.1:1/mcp');
    const { server, clock, post } = opened;
    const [call, upstream] = [post(tool), await server.next()];
    happen(opened);
    clock.advance(20_000);
    await upstream.write(result);
    upstream.end();
    assert.equal(await call, result);
  });
}

test('an added address ends no call', async (t) => {
  const { server, clock, addresses, post } = await open(t);
  const [call, upstream] = [post(tool), await server.next()];
  addresses.add('198.51.100.1');
  clock.advance(20_000);
  await upstream.write(result);
  upstream.end();
  assert.equal(await call, result);
});

test('no timer remains once no call is open', async (t) => {
  const { server, clock, post, send } = await open(t);
  const [stream, upstream] = await Promise.all([send({ method: 'GET' }), server.next()]);
  const [call, called] = [post(tool), await server.next()];
  assert.ok(clock.pendingTimers > 0);
  await called.write(result);
  called.end();
  upstream.end();
  await Promise.all([call, stream.text()]);
  await turns(5);
  assert.equal(clock.pendingTimers, 0);
});

interface Opened extends GatewayUnderTest {
  server: HeldServer;
  clock: WatchedClock;
  addresses: Set<string>;
  /** Posts a body as it is. Resolves to the text of the response. */
  post(body: string, headers?: Record<string, string>, grantId?: string): Promise<string>;
}

async function open(t: TestContext, serverUrl = 'https://mcp.example.test/mcp'): Promise<Opened> {
  const server = new HeldServer();
  const clock = new WatchedClock();
  const addresses = new Set(['192.0.2.1', '2001:db8::1']);
  const options = { clock, transport: server, addresses: () => new Set(addresses) };
  const opened = await openGateway(t, serverUrl, options);
  const post: Opened['post'] = async (body, headers = {}, grantId = 'ada') => {
    const response = await opened.send({ body, headers, grantId });
    assert.equal(response.status, 200);
    return response.text();
  };
  return { ...opened, server, clock, addresses, post };
}

function rpcText(method: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method });
}

const tool = rpcText('tools/call');
const result = 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n';

function lastEvent(text: string): string {
  return text.split('\n\n').at(-2) ?? '';
}

/** The error of a JSON-RPC response, which may be the data of an event. */
function errorIn(text: string): { data: { kind: string } } | undefined {
  const message: unknown = JSON.parse(text.replace(/^data: /, ''));
  return (message as { error?: { data: { kind: string } } }).error;
}

function kindIn(text: string): string | undefined {
  return errorIn(text)?.data.kind;
}

/** A clock that tells whether a timer of a certain delay is pending. */
class WatchedClock extends FakeClock {
  readonly #delays: number[] = [];

  override after(delayMs: number, action: () => void): () => void {
    this.#delays.push(delayMs);
    const settle = (): void => {
      this.#delays.splice(this.#delays.indexOf(delayMs), 1);
    };
    const cancel = super.after(delayMs, () => {
      settle();
      action();
    });
    return () => {
      settle();
      cancel();
    };
  }

  isWaiting(delayMs: number): boolean {
    return this.#delays.includes(delayMs);
  }
}

/** A response whose body a test writes. */
interface HeldResponse {
  request: TransportRequest;
  /** Resolves once the chunk was read. Rejects if the request has ended. */
  write(text: string): Promise<void>;
  end(): void;
}

/** An MCP server on another machine, whose responses a test begins and writes. */
class HeldServer implements Transport {
  readonly requests: TransportRequest[] = [];
  readonly #waiting: ((text: string | false, status: number, headers: Record<string, string>) => HeldResponse)[] = [];

  send(request: TransportRequest): Promise<TransportResponse> {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new HttpFailure('cancelled', request.url.host));
      request.signal.addEventListener('abort', fail);
      if (request.signal.aborted) {
        fail();
      }
      this.#waiting.push((type, status, headers) => {
        const { readable, writable } = new TransformStream<Uint8Array>();
        const [reader, writer] = [readable.getReader(), writable.getWriter()];
        const stop = (): void => {
          const cancelled = new HttpFailure('cancelled', request.url.host);
          writer.abort(cancelled).catch(() => undefined);
        };
        writer.closed.catch(() => undefined);
        request.signal.addEventListener('abort', stop);
        if (type !== false) {
          resolve({
            status,
            headers: { ...headers, 'content-type': type },
            read: async () => (await reader.read()).value,
            cancel: stop,
          });
        }
        return {
          request,
          write: (text) => writer.write(Buffer.from(text)),
          end: () => void writer.close().catch(() => undefined),
        };
      });
    });
  }

  /** Waits for the next request and begins its response, by default an event stream; `false` leaves it without. */
  async next(
    type: string | false = 'text/event-stream',
    status = 200,
    headers: Record<string, string> = {},
  ): Promise<HeldResponse> {
    await until(() => this.#waiting.length > 0);
    const begin = this.#waiting.shift() ?? assert.fail();
    return begin(type, status, headers);
  }

  async close(): Promise<void> {}
}
