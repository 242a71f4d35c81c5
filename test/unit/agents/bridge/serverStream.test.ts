import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { until } from '../../connections.ts';
import { BridgeUnderTest, windowDirectory } from './bridgeUnderTest.ts';
import { openSession } from './sessionServer.ts';
import { sendEvent, TestWindow } from './testWindow.ts';

test('messages that the server sends on its own reach the agent through one stream, and through that of the next window', async (t) => {
  const { agent, server, window, directory } = await openSession(t);
  await agent.call(1);
  await agent.call(2);
  assert.equal(server.streams.length, 1);
  const note = (text: string) => ({ jsonrpc: '2.0', method: 'notifications/message', params: { text } });
  sendEvent(server.streams[0] as ServerResponse, note('first'));
  await until(() => agent.lines.some((line) => line.includes('first')));
  const other = await TestWindow.start(t, directory, { number: 0, respond: server.respond });
  await window.stop();
  await agent.call(3);
  await other.arrived('GET');
  sendEvent(server.streams[1] as ServerResponse, note('second'));
  await until(() => agent.lines.some((line) => line.includes('second')));
});

test('a stream of the server’s own messages that ends is opened again with the next request', async (t) => {
  const { agent, server, window } = await openSession(t);
  server.streams[0]?.end();
  await until(() => server.streams[0]?.closed === true);
  for (let id = 1; server.streams.length < 2; id += 1) {
    await agent.call(id);
  }
  assert.deepEqual(
    window.streams.map(({ headers }) => headers['mcp-session-id']),
    ['session-1', 'session-1'],
  );
});

test('a server without such a stream is not asked for it again', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.open();
  await window.arrived('GET');
  for (const id of [1, 2, 3]) {
    await agent.call(id);
  }
  assert.equal(window.streams.length, 1);
});

test('responses and what is no message do not reach the agent from that stream', async (t) => {
  const { agent, server } = await openSession(t);
  const [stream] = server.streams as [ServerResponse];
  stream.write('data: junk\n\nevent: other\ndata: {"jsonrpc":"2.0","method":"hidden"}\n\n');
  sendEvent(stream, { jsonrpc: '2.0', id: 'open', result: {} });
  sendEvent(stream, { jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  await agent.message(({ method }) => method === 'notifications/tools/list_changed');
  assert.equal(agent.lines.length, 2);
});
