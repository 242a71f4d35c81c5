import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { listenSocket } from '../../../../src/platform/node/listenSocket.ts';
import { closed } from '../../connections.ts';
import { FakeClock } from '../../fakeClock.ts';

test('a connection carries HTTP after its first line and the reply to that, in however many parts it arrives', async (t) => {
  const { connection } = await open(t);
  const request = 'hello\nGET /path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  for (const parts of [[request], [...request], [request.slice(0, 6), request.slice(6)]]) {
    const socket = connection();
    for (const part of parts) {
      socket.write(part);
    }
    assert.match(await text(socket), /^reply to hello\nHTTP\/1\.1 200 OK\r\n.*\r\n\r\n\/path$/s);
  }
});

test('a first line that is refused, too long or never ends closes the connection without a response', async (t) => {
  const { connection, clock } = await open(t);
  for (const line of ['refused\n', `${'x'.repeat(100)}\n`, 'x'.repeat(100)]) {
    const socket = connection();
    socket.write(line);
    assert.equal(await text(socket), '');
  }
  const silent = connection();
  silent.write('hel');
  await once(silent, 'connect');
  // Its reply shows that the connection before it was accepted.
  const later = connection();
  later.write('hello\n');
  await once(later, 'data');
  clock.advance(10_000);
  await Promise.all([silent, later].map(closed));
});

for (const [name, request] of Object.entries({
  'a malformed request': 'GET / HTTP/9.9\r\n\r\n',
  'a WebSocket upgrade': 'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'a request that expects 100-continue': 'POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
})) {
  test(`on a socket, ${name} gets an empty 404 and nothing else`, async (t) => {
    const { connection } = await open(t);
    const socket = connection();
    socket.write(`hello\n${request}`);
    assert.equal(
      await text(socket),
      'reply to hello\nHTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
  });
}

test('closing drops every connection and removes the socket, and its path cannot be used twice before', async (t) => {
  const { connection, listener, options } = await open(t);
  const socket = connection();
  socket.write('hello\n');
  await once(socket, 'data');
  await assert.rejects(listenSocket(options), { code: 'EADDRINUSE' });
  await listener.close();
  await closed(socket);
  assert.ok(!existsSync(options.path));
});

async function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 's-'));
  const clock = new FakeClock();
  const options: Parameters<typeof listenSocket>[0] = {
    path: join(folder, 'socket'),
    maxGreetingBytes: 40,
    greet: async (line) => (line === 'refused' ? undefined : `reply to ${line}\n`),
    handle: ({ url }, response) => response.end(url),
    clock,
  };
  const listener = await listenSocket(options);
  t.after(async () => {
    await listener.close();
    rmSync(folder, { recursive: true });
  });
  const connection = () => {
    const socket = connect(options.path);
    // A listener that is closed may reset a connection.
    socket.on('error', () => undefined);
    return socket;
  };
  return { clock, listener, options, connection };
}
