import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { maxWaiting } from '../../../src/platform/node/admission.ts';
import { closed, openConnections, openSockets, until } from '../connections.ts';
import { FakeClock } from '../fakeClock.ts';
import { openGateway, rpc } from './gatewayUnderTest.ts';
import { respondWithResult, ScriptedServer } from './scriptedServer.ts';

test('1,000 silent connections of another user take few file descriptors, and calls and streams go on', async (t) => {
  const { server, send, call, strangers } = await open(t);
  const responding = server.nextResponse((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });
  const stream = await send({ method: 'GET' });
  const events = await responding;
  server.script = respondWithResult;
  const before = openSockets();
  await strangers(1_000);
  await until(() => openSockets() <= before + 2 * maxWaiting);
  assert.deepEqual(await call(rpc(1)), {
    status: 200,
    body: { jsonrpc: '2.0', id: 1, result: { method: 'tools/list' } },
  });
  events.end('data: 1\n\n');
  assert.equal(await stream.text(), 'data: 1\n\n');
});

test('the gateway has no timer for a caller that it knows', async (t) => {
  const { clock, call } = await open(t);
  await call(rpc(1));
  assert.equal(clock.pendingTimers, 0);
});

test('a caller that opens 1,000 connections at once gets a response on each', async (t) => {
  const { send } = await open(t);
  const statuses = await Promise.all(
    Array.from({ length: 1_000 }, async (_, id) => {
      const response = await send({ body: JSON.stringify(rpc(id)), headers: { connection: 'close' } });
      await response.text();
      return response.status;
    }),
  );
  assert.deepEqual(new Set(statuses), new Set([200]));
});

test('closing the gateway leaves no connection of a stranger open', async (t) => {
  const { gateway, strangers } = await open(t);
  const sockets = await strangers(50);
  await gateway.close();
  await Promise.all(sockets.map(closed));
});

async function open(t: TestContext) {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  const clock = new FakeClock();
  const opened = await openGateway(t, server.url, { listenerClock: clock });
  const port = Number(new URL(opened.gateway.urlFor('ada')).port);
  const strangers = (count: number) => openConnections(port, count);
  return { ...opened, server, clock, strangers };
}
