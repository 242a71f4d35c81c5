import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FakeClock } from '../fakeClock.ts';
import { openGateway, rpc } from './gatewayUnderTest.ts';
import { respondWithResult, type Script, ScriptedServer, turns } from './scriptedServer.ts';
import { leftConnections, upstreams } from './upstream.ts';

const callCount = 30;

/** As many connections as successive calls keep for the next one, while a discarded response is still being read. */
const maxIdle = 2;

interface Leftover {
  script: Script;
  /** The requests to send, by default tool calls. */
  method?: 'GET' | 'DELETE';
  message?: unknown;
  /** Delays that are over at once, as the call waits for them. */
  passing?: number;
  /** Whether all calls share the few connections. */
  isReused?: boolean;
}

const endless = 'x'.repeat(100);

const leftovers: Record<string, Leftover> = {
  'a stream that the server keeps open after its response': {
    script: (response, { body }) => {
      const { id } = JSON.parse(body) as { id: number };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: {"jsonrpc":"2.0","id":${id},"result":{}}\n\n`);
    },
  },
  'a stream in response to a notification': {
    script: (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
    message: { jsonrpc: '2.0', method: 'notifications/initialized' },
  },
  'a 401 with a short body before the replay': {
    script: before(401, (response) => response.end('no')),
    isReused: true,
  },
  'a 401 whose body never ends before the replay': { script: before(401, (response) => response.write(endless)) },
  'a compressed 401 whose body never ends before the replay': {
    script: before(401, (response) => response.write(gzipSync(endless).subarray(0, -8)), {
      'content-encoding': 'gzip',
    }),
  },
  'a 429 with a short body before the replay': {
    script: before(429, (response) => response.end('wait'), { 'retry-after': '3' }),
    passing: 3_000,
    isReused: true,
  },
  'a 429 whose body never ends before the replay': {
    script: before(429, (response) => response.write(endless), { 'retry-after': '3' }),
    passing: 3_000,
  },
  'a redirect with a short body that is followed': {
    script: before(307, (response) => response.end('there'), { location: '/mcp?once' }),
    isReused: true,
  },
  'a redirect whose body never ends that is followed': {
    script: before(307, (response) => response.write(endless), { location: '/mcp?once' }),
  },
  'a redirect to another server': {
    script: respond(302, (response) => response.end('there'), { location: 'http://127.0.0.1:1/' }),
    isReused: true,
  },
  'an error page of 1 MB': { script: respond(500, (response) => response.end('x'.repeat(1_048_576))) },
  'an error page that never ends': {
    script: respond(500, (response) => response.write(endless)),
    passing: 10_000,
  },
  'a page that never ends in place of a result': {
    script: respond(200, (response) => response.write('<!doctype html>')),
  },
  'a 200 with a body in response to a notification': {
    script: respond(200, (response) => response.end('{}')),
    message: { jsonrpc: '2.0', method: 'notifications/initialized' },
    isReused: true,
  },
  'a page that never ends in response to a notification': {
    script: respond(200, (response) => response.write('<!doctype html>')),
    message: { jsonrpc: '2.0', method: 'notifications/initialized' },
  },
  'a 405 with a body in response to a GET': {
    script: respond(405, (response) => response.end('no streams here')),
    method: 'GET',
    isReused: true,
  },
  'a 404 whose body never ends in response to a GET': {
    script: respond(404, (response) => response.write(endless)),
    method: 'GET',
  },
  'a 500 whose body never ends in response to a DELETE': {
    script: respond(500, (response) => response.write(endless)),
    method: 'DELETE',
  },
};

for (const upstream of upstreams) {
  for (const [name, leftover] of Object.entries(leftovers)) {
    test(`${name} leaves no connection over ${upstream.name} behind`, async (t) => {
      const server = await ScriptedServer.start();
      t.after(() => server.stop());
      const clock = new PassingClock(leftover.passing);
      const { accounts, send } = await openGateway(t, server.url, { clock, transport: upstream.createTransport() });
      server.script = leftover.script;
      const { method = 'POST', message } = leftover;
      const ends: Promise<string>[] = [];
      for (let id = 0; id < callCount; id += 1) {
        accounts.add('ada', server.url, 'token');
        const body = method === 'POST' && JSON.stringify(message ?? rpc(id, 'tools/call'));
        const response = await send({ method, ...(body && { body }) });
        ends.push(response.text());
        // A stream ends later, so that many of them are open at the same time.
        await Promise.race([ends.at(-1), turns(20)]);
      }
      clock.advance(60_000);
      await Promise.all(ends);
      const open = await leftConnections(server, upstream);
      assert.ok(open <= maxIdle, `${open} are open`);
      assert.ok(!leftover.isReused || server.connections <= maxIdle, `${server.connections} were opened`);
      assert.equal(clock.pendingTimers, 0);
    });
  }

  test(`callers that disconnect at any moment leave no connection over ${upstream.name} behind`, async (t) => {
    const server = await ScriptedServer.start();
    t.after(() => server.stop());
    const clock = new FakeClock();
    const { send } = await openGateway(t, server.url, { clock, transport: upstream.createTransport() });
    const moments: Script[] = [
      () => undefined,
      (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
      (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"js'),
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":'),
      (response) => response.writeHead(500).write(endless),
      (response) => response.writeHead(429, { 'retry-after': '9' }).write(endless),
    ];
    for (let call = 0; call < callCount; call += 1) {
      const caller = new AbortController();
      const arrived = server.nextResponse((response) => {
        moments[call % moments.length]?.(response, { method: '', url: '', headers: {}, body: '' }, call);
      });
      const sent = send({ body: JSON.stringify(rpc(call, 'tools/call')), signal: caller.signal });
      const failed = assert.rejects(sent.then((response) => response.text()));
      await arrived;
      await turns(call);
      caller.abort();
      await failed;
    }
    await turns(20);
    clock.advance(1_000);
    assert.equal(await leftConnections(server, upstream), 0);
    assert.equal(clock.pendingTimers, 0);
  });
}

/** Responds with a status, and as usual to the request that is sent again. */
function before(status: number, end: (response: ServerResponse) => void, headers: Record<string, string> = {}): Script {
  const first = respond(status, end, headers);
  const seen = new Set<string>();
  return (response, received, number) => {
    if (seen.has(received.body)) {
      respondWithResult(response, received);
    } else {
      seen.add(received.body);
      first(response, received, number);
    }
  };
}

function respond(
  status: number,
  end: (response: ServerResponse) => void,
  headers: Record<string, string> = {},
): Script {
  return (response) => end(response.writeHead(status, headers));
}

/** A clock on which one delay is over at once. */
class PassingClock extends FakeClock {
  readonly #passingMs: number | undefined;

  constructor(passingMs: number | undefined) {
    super();
    this.#passingMs = passingMs;
  }

  override after(delayMs: number, action: () => void): () => void {
    if (delayMs !== this.#passingMs) {
      return super.after(delayMs, action);
    }
    const immediate = setImmediate(action);
    return () => clearImmediate(immediate);
  }
}
