import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { listen as none } from '../../../../src/platform/browser/listen.ts';
import { listen } from '../../../../src/platform/node/listen.ts';

test('a listener takes requests at a port of its own on 127.0.0.1', async () => {
  const listeners = [await open(), await open()];
  assert.notEqual(listeners[0]?.port, listeners[1]?.port);
  for (const { port, abort } of listeners) {
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/path`)).text(), '/path');
    await assert.rejects(once(connect({ host: '127.0.0.2', port }), 'connect'), { code: 'ECONNREFUSED' });
    await abort();
  }
});

test('what is not HTTP gets an empty 404 and no more', async () => {
  const { port, abort } = await open();
  const socket = connect({ host: '127.0.0.1', port });
  socket.write('GET / HTTP/9.9\r\n\r\n');
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
  }
  assert.equal(answer, 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  await abort();
});

test('after close an answer that is under way ends, and nobody else is let in', async () => {
  const { port, close, responses } = await open('wait');
  const asking = fetch(`http://127.0.0.1:${port}/`);
  const response = await responses();
  close();
  await assert.rejects(once(connect({ host: '127.0.0.1', port }), 'connect'), { code: 'ECONNREFUSED' });
  response.end('whole');
  assert.equal(await (await asking).text(), 'whole');
});

test('after abort an answer that is under way is cut', async () => {
  const { port, abort, responses } = await open('wait');
  const asking = assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  await responses();
  await abort();
  await asking;
});

test('a web worker has no listener', () => {
  assert.equal(none, undefined);
});

async function open(manner: 'answer' | 'wait' = 'answer') {
  let take: (response: ServerResponse) => void = () => undefined;
  const waiting = new Promise<ServerResponse>((resolve) => {
    take = resolve;
  });
  assert.ok(listen);
  const listener = await listen((request, response) => {
    if (manner === 'answer') {
      response.end(request.url);
    } else {
      take(response);
    }
  });
  return { ...listener, responses: () => waiting };
}
