import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { BridgeUnderTest, windowDirectory } from './bridgeUnderTest.ts';
import { placeOf, proofFor, RawWindow, TestWindow } from './testWindow.ts';

/** How a connection fails. */
const faults: Record<string, (socket: Socket) => void> = {
  closes: (socket) => socket.destroy(),
  stalls: () => undefined,
  'sends junk': (socket) => socket.write('\0\r\n\xff{junk\r\n\r\n', 'latin1'),
};

const jsonHead = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const eventHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/** What a window has sent of its response by then. */
const sentBefore: Record<string, string> = {
  'before the head': '',
  'in the head': 'HTTP/1.1 200 OK\r\ncontent-ty',
  'before the body': `${jsonHead}transfer-encoding: chunked\r\n\r\n`,
  'in the body': `${jsonHead}transfer-encoding: chunked\r\n\r\n9\r\n{"jsonrpc\r\n`,
  'between events': `${eventHead}${chunk('data: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n')}`,
  'in an event': `${eventHead}${chunk('data: {"jsonrpc":"2.0","id":')}`,
};

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** A window that proves itself and is ready, and whose responses to messages fail. */
function failingWindow(directory: string, number: number, respond: (socket: Socket) => void): RawWindow {
  const { path } = placeOf(directory, number);
  const handled = new WeakMap<Socket, number>();
  return new RawWindow(async (socket, received) => {
    const count = (handled.get(socket) ?? 0) + 1;
    handled.set(socket, count);
    if (count === 1) {
      socket.write((await proofFor(received(), path)) ?? '');
    } else if (received().includes('/status') && !received().includes('POST')) {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nready');
    } else if (received().includes('}')) {
      respond(socket);
    }
  });
}

const windowGone = /^The window of VS Code was closed while Notion was responding/;

for (const [when, sent] of Object.entries(sentBefore)) {
  for (const [name, fail] of Object.entries(faults)) {
    for (const method of ['tools/list', 'tools/call']) {
      test(`${method} gets one response where the window ${name} ${when}`, async (t) => {
        const directory = windowDirectory(t);
        const other = await TestWindow.start(t, directory, { number: 1 });
        let hasFailed = false;
        const failing = failingWindow(directory, 2, (socket) => {
          hasFailed = true;
          failing.refuse();
          socket.write(sent);
          fail(socket);
        });
        await failing.start(t, directory, 2);
        // Only a window that stalls has a limit, as a busy machine may let a healthy one be silent for that long.
        const silenceMs = () => (name === 'stalls' && !hasFailed ? 100 : undefined);
        const agent = await BridgeUnderTest.start(t, directory, { silenceMs });
        const { result } = await agent.request(1, method);
        if (method === 'tools/list') {
          assert.equal(result?.tools?.length, 1);
          assert.deepEqual(other.methods, ['tools/list']);
        } else {
          assert.match(result?.content?.[0]?.text ?? '', windowGone);
          assert.deepEqual(other.methods, [], 'the call is not sent again');
        }
        assert.equal(await agent.call(2), 'done');
        assert.equal(failing.received.split(method).length, 2);
        assert.equal(agent.responses(1).length, 1);
      });
    }
  }
}

for (const [name, fail] of Object.entries(faults).filter(([each]) => each !== 'stalls')) {
  test(`a call is carried by another window where a new connection to the one in use ${name} before its proof`, async (t) => {
    const directory = windowDirectory(t);
    const window = await TestWindow.start(t, directory, { number: 2 });
    const agent = await BridgeUnderTest.start(t, directory);
    await agent.open();
    const other = await TestWindow.start(t, directory, { number: 1 });
    await window.stop();
    const stranger = await new RawWindow((socket) => fail(socket)).start(t, directory, 2);
    assert.equal(await agent.call(1), 'done');
    assert.deepEqual(other.methods, ['tools/call']);
    assert.match(stranger.received, /^(notion-mcp-bridge\/1 [\w-]{43}\n)+$/);
  });
}

test('a window that is slow, but not silent, has the time that it needs', async (t) => {
  const directory = windowDirectory(t);
  const message = `data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'done' }] } })}\n\n`;
  const window = failingWindow(directory, 1, (socket) => {
    let at = 0;
    socket.write(eventHead);
    const timer = setInterval(() => {
      if (at === message.length) {
        clearInterval(timer);
        socket.write('0\r\n\r\n');
      } else {
        const piece = message.slice(at, at + 7);
        at += piece.length;
        socket.write(chunk(piece));
      }
    }, 100);
  });
  await window.start(t, directory, 1);
  const agent = await BridgeUnderTest.start(t, directory, { silenceMs: () => 1_000 });
  assert.equal(await agent.call(1), 'done');
});
