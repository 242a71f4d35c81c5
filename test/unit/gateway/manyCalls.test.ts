import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from '../connections.ts';
import { FakeClock } from '../fakeClock.ts';
import { type GatewayUnderTest, openGateway, rpc } from './gatewayUnderTest.ts';
import { ScriptedServer, still, turns } from './scriptedServer.ts';
import { leftConnections, type Upstream, upstreams } from './upstream.ts';

for (const upstream of upstreams) {
  const way = upstream.name;

  test(`1,000 calls in parallel over ${way} get their responses and leave nothing behind`, async (t) => {
    const opened = await open(t, upstream);
    const { server, call } = opened;
    const responses: (() => void)[] = [];
    server.script = (response, { body }) => {
      responses.push(() => response.writeHead(200, headers).end(eventFor(body)));
    };
    const calls = Array.from({ length: 1_000 }, (_, id) => call(JSON.stringify(rpc(id, 'tools/call'))));
    await until(() => responses.length === 1_000);
    assert.equal(openCalls(opened), 1_000);
    for (const respond of responses) {
      respond();
    }
    const texts = await Promise.all(calls);
    assert.ok(texts.every((text, id) => text.includes(`"id":${id},`)));
    await assertNothingIsLeft(opened, upstream);
  });

  test(`1,000 calls over ${way} that are cancelled at random moments leave nothing behind`, async (t) => {
    const opened = await open(t, upstream);
    const { server, call, accounts, clock } = opened;
    const random = randomFrom(19);
    const { fresh } = accounts;
    // A fifth of the calls wait for a renewal.
    accounts.fresh = async (...asked) => {
      if (random() < 0.2) {
        await turns(Math.floor(random() * 30));
      }
      return fresh(...asked);
    };
    server.script = (response, { body }) => {
      const chance = random();
      if (chance < 0.2) {
        return;
      }
      if (chance < 0.4) {
        response.writeHead(429, { ...headers, 'retry-after': '9' }).end('wait');
      } else if (chance < 0.6) {
        response.writeHead(401, headers).end('no');
      } else {
        response.writeHead(200, headers).write(': in the middle\n\ndata: {"jsonrpc"');
        if (chance < 0.8) {
          setImmediate(() => response.end(`\n\n${eventFor(body)}`));
        }
      }
    };
    let cancelled = 0;
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, id) => {
          const caller = new AbortController();
          const done = call(JSON.stringify(rpc(id, 'tools/call')), caller.signal).catch(() => {
            cancelled += 1;
          });
          await turns(Math.floor(random() * 60));
          caller.abort();
          await done;
        }),
      );
    }
    assert.ok(cancelled > 500, `${cancelled} were cancelled`);
    await still(() => server.received.length);
    clock.advance(1_000);
    await assertNothingIsLeft(opened, upstream);
  });

  test(`1,500 calls in a row over ${way} leave no heap behind`, async (t) => {
    const opened = await open(t, upstream);
    const { server, call } = opened;
    server.script = (response, { body }) => {
      server.received.length = 0;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(eventFor(body));
    };
    const callInARow = async (count: number): Promise<void> => {
      for (let id = 0; id < count; id += 1) {
        await call(JSON.stringify(rpc(id, 'tools/call')));
      }
    };
    await callInARow(500);
    const before = await heapBytes();
    await callInARow(1_500);
    const grown = (await heapBytes()) - before;
    assert.ok(grown < 400_000, `${grown} bytes`);
    assert.equal(openCalls(opened), 0);
    assert.equal(server.connections, 1);
  });
}

/** The server closes idle connections soon, so that no connection stays open that is of no use. */
const headers = { 'content-type': 'text/event-stream', 'keep-alive': 'timeout=1', connection: 'keep-alive' };

function eventFor(body: string): string {
  const { id } = JSON.parse(body) as { id: number };
  return `data: ${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n\n`;
}

interface Opened extends GatewayUnderTestOver {
  server: ScriptedServer;
  clock: FakeClock;
  warnings: Error[];
}

type GatewayUnderTestOver = Omit<GatewayUnderTest, 'call'> & {
  /** Posts a body. Resolves to the text of the response. */
  call(body: string, signal?: AbortSignal): Promise<string>;
};

async function open(t: TestContext, upstream: Upstream): Promise<Opened> {
  const warnings: Error[] = [];
  const record = (warning: Error): number => warnings.push(warning);
  process.on('warning', record);
  t.after(() => process.off('warning', record));
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  const clock = new FakeClock();
  const opened = await openGateway(t, server.url, { clock, transport: upstream.createTransport() });
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const authorization = `Bearer ${opened.gateway.secretFor('ada').reveal()}`;
  const call: Opened['call'] = (body, signal) =>
    new Promise((resolve, reject) => {
      const sent = request(
        opened.gateway.urlFor('ada'),
        {
          method: 'POST',
          agent,
          headers: { authorization, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
          ...(signal && { signal }),
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve(text)).on('error', reject);
        },
      );
      sent.on('error', reject).end(body);
    });
  return { ...opened, call, server, clock, warnings };
}

async function assertNothingIsLeft(opened: Opened, upstream: Upstream): Promise<void> {
  const { server, clock, warnings } = opened;
  assert.equal(await leftConnections(server, upstream), 0);
  assert.equal(openCalls(opened), 0);
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(warnings, []);
}

/** How many calls are under way: for each of them the gateway looks whether its account is still there. */
function openCalls({ gateway, accounts }: Opened): number {
  const { find } = accounts;
  let count = 0;
  accounts.find = (grantId) => {
    count += 1;
    return find.call(accounts, grantId);
  };
  gateway.endForbiddenCalls();
  accounts.find = find;
  return count;
}

async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What a weak reference held is freed in a second collection.
  for (let time = 0; time < 3; time += 1) {
    await turns(5);
    collect();
  }
  return process.memoryUsage().heapUsed;
}

/** Random numbers that are the same in each run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
