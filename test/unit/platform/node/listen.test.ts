import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { listen as none } from '../../../../src/platform/browser/listen.ts';
import { listen } from '../../../../src/platform/node/listen.ts';

test('each listener accepts requests on its own port, only on 127.0.0.1', async () => {
  const listeners = [await open(), await open()];
  assert.notEqual(listeners[0]?.port, listeners[1]?.port);
  for (const { port, abort } of listeners) {
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/path`)).text(), '/path');
    await assert.rejects(once(connect({ host: '127.0.0.2', port }), 'connect'), { code: 'ECONNREFUSED' });
    await abort();
  }
});

test('a malformed request gets an empty 404 and nothing else', async () => {
  const { port, abort } = await open();
  const socket = connect({ host: '127.0.0.1', port });
  socket.write('GET / HTTP/9.9\r\n\r\n');
  let response = '';
  for await (const chunk of socket) {
    response += chunk;
  }
  assert.equal(response, 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  await abort();
});

test('a closed listener finishes the response in progress and accepts no more connections', async () => {
  const { port, close, nextResponse } = await open('wait');
  const pending = fetch(`http://127.0.0.1:${port}/`);
  const response = await nextResponse();
  close();
  await assert.rejects(once(connect({ host: '127.0.0.1', port }), 'connect'), { code: 'ECONNREFUSED' });
  response.end('whole');
  assert.equal(await (await pending).text(), 'whole');
});

test('an aborted listener cuts off the response in progress', async () => {
  const { port, abort, nextResponse } = await open('wait');
  const rejected = assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  await nextResponse();
  await abort();
  await rejected;
});

test('a web worker has no listener', () => {
  assert.equal(none, undefined);
});

async function open(mode: 'respond' | 'wait' = 'respond') {
  let take: (response: ServerResponse) => void = () => undefined;
  const waiting = new Promise<ServerResponse>((resolve) => {
    take = resolve;
  });
  assert.ok(listen);
  const listener = await listen((request, response) => {
    if (mode === 'respond') {
      response.end(request.url);
    } else {
      take(response);
    }
  });
  return { ...listener, nextResponse: () => waiting };
}
