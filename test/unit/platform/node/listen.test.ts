import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { listen as none } from '../../../../src/platform/browser/listen.ts';
import { admissionLimitMs, maxWaiting } from '../../../../src/platform/node/admission.ts';
import { listen } from '../../../../src/platform/node/listen.ts';
import { Queue } from '../../../e2e/driver/queue.ts';
import { closed, openConnections, openSockets, until } from '../../connections.ts';
import { FakeClock } from '../../fakeClock.ts';

test('each listener accepts requests on its own port, only on 127.0.0.1', async (t) => {
  const listeners = [await open(t), await open(t)];
  assert.notEqual(listeners[0]?.port, listeners[1]?.port);
  for (const { port, abort } of listeners) {
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/path`)).text(), '/path');
    await assert.rejects(once(connect({ host: '127.0.0.2', port }), 'connect'), { code: 'ECONNREFUSED' });
    await abort();
  }
});

const refused = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const special: Record<string, string> = {
  'a malformed request': 'GET / HTTP/9.9\r\n\r\n',
  'a request with headers of 20,000 bytes': `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
  'a request that expects 100-continue': 'POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
  'a request that expects something else': 'POST / HTTP/1.1\r\nExpect: tea\r\nContent-Length: 2\r\n\r\n{}',
  'a WebSocket upgrade':
    'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AA==\r\n\r\n',
  'an upgrade to HTTP/2':
    'GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n',
  'an HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a CONNECT request': 'CONNECT mcp.notion.com:443 HTTP/1.1\r\n\r\n',
};

for (const [name, request] of Object.entries(special)) {
  test(`${name} gets an empty 404 and nothing else`, async (t) => {
    const { port } = await open(t);
    const socket = connect({ host: '127.0.0.1', port });
    socket.write(request);
    assert.equal(await text(socket), refused);
  });
}

/** What callers that are never admitted do, each on a connection of its own. */
const slowCallers: Record<string, (socket: Socket) => void> = {
  'sends nothing': () => undefined,
  'sends headers that do not end': (socket) => socket.write('GET / HTTP/1.1\r\nX: '),
  'sends a byte after the other': (socket) => {
    socket.write('G');
    socket.write('E');
  },
  'does not end the body of an unknown caller’s request': (socket) =>
    socket.write('POST /stranger HTTP/1.1\r\nContent-Length: 100\r\n\r\n{'),
  'sends half a line and half-closes the connection': (socket) => socket.end('GET'),
};

for (const [name, begin] of Object.entries(slowCallers)) {
  test(`a connection that ${name} is closed after 10 seconds at the latest`, async (t) => {
    const { port, clock } = await open(t, 'wait');
    const socket = await openConnection(port);
    await until(() => clock.pendingTimers === 1);
    begin(socket);
    socket.resume();
    for (let second = 0; second < 10; second += 1) {
      await turn();
      if (socket.writable) {
        socket.write('x');
      }
      clock.advance(1_000);
    }
    await closed(socket);
    assert.equal(clock.pendingTimers, 0);
  });
}

test('a connection that was admitted stays open for hours, also between two requests, and needs no timer', async (t) => {
  const { port, clock, nextResponse } = await open(t, 'wait');
  const socket = await openConnection(port);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  const response = await nextResponse();
  assert.equal(clock.pendingTimers, 0);
  clock.advance(8 * 60 * 60_000);
  await turn();
  response.end('one');
  assert.match(String(await once(socket, 'data')), /one/);
  clock.advance(60 * 60_000);
  await turn();
  socket.write('GET / HTTP/1.1\r\n\r\n');
  (await nextResponse()).end('two');
  assert.match(String(await once(socket, 'data')), /two/);
});

test('a connection that its caller closes needs no timer', async (t) => {
  const { port, clock } = await open(t);
  const socket = await openConnection(port);
  await until(() => clock.pendingTimers === 1);
  socket.destroy();
  await until(() => clock.pendingTimers === 0);
});

test('a request that arrived before the time was up is served, although the process was blocked meanwhile', async (t) => {
  const { port, clock, nextResponse } = await open(t, 'wait');
  const socket = await openConnection(port);
  await until(() => clock.pendingTimers === 1);
  // As Node runs timers that are overdue: before it reads what arrived.
  setTimeout(() => {
    socket.write('GET / HTTP/1.1\r\n\r\n');
    clock.advance(admissionLimitMs);
  });
  (await nextResponse()).end('served');
  assert.match(String(await once(socket, 'data')), /served/);
});

test('of 1,000 silent connections only the newest stay open; admitted callers keep theirs and new ones get in', async (t) => {
  const { port, nextResponse } = await open(t, 'wait');
  const stream = await openConnection(port);
  stream.write('GET / HTTP/1.1\r\n\r\n');
  const streaming = await nextResponse();
  const openBefore = openSockets();
  const silent = await openConnections(port, 1_000);
  const dropped = silent.slice(0, -maxWaiting);
  await Promise.all(dropped.map(closed));
  // Each of the remaining connections has two ends in this process.
  await until(() => openSockets() <= openBefore + 2 * maxWaiting);
  assert.ok(silent.slice(-maxWaiting).every((socket) => !socket.closed));
  streaming.write('event');
  assert.match(String(await once(stream, 'data')), /event/);
  const call = fetch(`http://127.0.0.1:${port}/`);
  (await nextResponse()).end('called');
  assert.equal(await (await call).text(), 'called');
});

for (const way of ['close', 'abort'] as const) {
  test(`a listener closes every silent connection at once on ${way}`, async (t) => {
    const listener = await open(t);
    const openBefore = openSockets();
    const silent = await openConnections(listener.port, 20);
    await until(() => listener.clock.pendingTimers === 20);
    await listener[way]();
    await Promise.all(silent.map(closed));
    assert.equal(listener.clock.pendingTimers, 0);
    await until(() => openSockets() <= openBefore);
  });
}

test('a closed listener finishes the response in progress and accepts no more connections', async (t) => {
  const { port, close, nextResponse } = await open(t, 'wait');
  const pending = fetch(`http://127.0.0.1:${port}/`);
  const response = await nextResponse();
  close();
  await assert.rejects(once(connect({ host: '127.0.0.1', port }), 'connect'), { code: 'ECONNREFUSED' });
  response.end('whole');
  assert.equal(await (await pending).text(), 'whole');
});

test('an aborted listener cuts off the response in progress', async (t) => {
  const { port, abort, nextResponse } = await open(t, 'wait');
  const rejected = assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  await nextResponse();
  await abort();
  await rejected;
});

test('a web worker has no listener', () => {
  assert.equal(none, undefined);
});

/** Opens a listener that admits every request but those of `/stranger`. */
async function open(t: TestContext, mode: 'respond' | 'wait' = 'respond') {
  const clock = new FakeClock();
  const responses = new Queue<ServerResponse>();
  assert.ok(listen);
  const listener = await listen((request, response, admit) => {
    if (request.url === '/stranger') {
      return;
    }
    admit();
    if (mode === 'respond') {
      response.end(request.url);
    } else {
      responses.put(response);
    }
  }, clock);
  t.after(() => listener.abort());
  return { ...listener, clock, nextResponse: () => responses.take() };
}

async function openConnection(port: number): Promise<Socket> {
  const [socket] = await openConnections(port, 1);
  return socket ?? assert.fail();
}
