import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../connections.ts';
import { BridgeUnderTest, bridgeWithWindow, windowDirectory } from './bridgeUnderTest.ts';
import { beginEvents, sendEvent, sendResult, TestWindow } from './testWindow.ts';

test('requests, with their ids as they were written, reach the server, and their responses the agent', async (t) => {
  const { agent, window } = await bridgeWithWindow(t);
  for (const id of ['7', '1.0', '9007199254740993', '"a\\u0062"', 'null']) {
    const line = `{"method":"tools/call","params":{"name":"x"},"jsonrpc":"2.0","id":${id}}`;
    window.respond = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"big":9007199254740993}}`);
    };
    agent.write(line);
    await until(() => agent.lines.at(-1)?.includes('"big"') === true);
    assert.equal(agent.lines.pop(), `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"big":9007199254740993}}`);
    assert.equal(window.posted.at(-1)?.body, line);
  }
});

test('the account and the agent are told to the window', async (t) => {
  const { window } = await bridgeWithWindow(t);
  assert.equal(window.received[0]?.handle, 'notion-engineering-wiki');
  assert.equal(window.received[0]?.agent, 'editor');
});

test('the server’s name and its tools are the agent’s, and it is told that the tools can change', async (t) => {
  const directory = windowDirectory(t);
  await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory);
  const { result } = await agent.open();
  assert.equal((result?.serverInfo as { title?: string } | undefined)?.title, 'Engineering Wiki');
  assert.deepEqual(result?.capabilities, { tools: { listChanged: true } });
  assert.equal(result?.protocolVersion, '2025-06-18');
});

test('a request of revision 2026-07-28 has its headers, and needs no session', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory);
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  await agent.request(1, 'tools/call', { name: 'notion-fetch', _meta });
  assert.deepEqual(window.methods, ['tools/call']);
  const { headers } = window.received[0] ?? {};
  assert.equal(headers?.['mcp-protocol-version'], '2026-07-28');
  assert.equal(headers?.['mcp-method'], 'tools/call');
  assert.equal(headers?.['mcp-name'], 'notion-fetch');
});

test('an argument of 10 MiB reaches the server whole', async (t) => {
  const { agent, window } = await bridgeWithWindow(t);
  const text = 'ü'.repeat(5 * 1024 * 1024);
  await agent.request(1, 'tools/call', { name: 'notion-create-pages', arguments: { text } });
  const { params } = await window.arrived('tools/call');
  assert.ok((params.arguments as { text: string }).text === text);
});

test('ping is responded to by the bridge itself, also while nothing else can be', async (t) => {
  const { agent, window, held } = await bridgeWithWindow(t);
  void held('tools/call');
  agent.send({ id: 1, method: 'tools/call' });
  assert.deepEqual((await agent.request(2, 'ping')).result, {});
  assert.ok(!window.methods.includes('ping'));
});

test('notifications and requests of the server during a call reach the agent, and its response the server', async (t) => {
  const { agent, window, held } = await bridgeWithWindow(t);
  const calling = held('tools/call');
  agent.send({ id: 1, method: 'tools/call', params: { _meta: { progressToken: 7 } } });
  const response = await calling;
  beginEvents(response);
  sendEvent(response, { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 7, progress: 1 } });
  sendEvent(response, { jsonrpc: '2.0', id: 1, method: 'roots/list' });
  assert.deepEqual(await agent.message(({ method }) => method === 'roots/list'), {
    jsonrpc: '2.0',
    id: 1,
    method: 'roots/list',
  });
  agent.send({ id: 1, result: { roots: [] } });
  await until(() => window.posted.at(-1)?.body.includes('roots') === true);
  sendEvent(response, { jsonrpc: '2.0', id: 1, result: { content: [] } });
  response.end();
  await agent.response(1);
  assert.equal(agent.messages.filter(({ method }) => method === 'notifications/progress').length, 1);
});

test('a response to another request than the one that was sent does not reach the agent', async (t) => {
  const { agent, held } = await bridgeWithWindow(t);
  const calling = held('tools/call');
  agent.send({ id: 1, method: 'tools/call' });
  const response = await calling;
  beginEvents(response);
  sendEvent(response, { jsonrpc: '2.0', id: 2, result: {} });
  sendEvent(response, { jsonrpc: '2.0', id: '1', result: {} });
  sendEvent(response, { jsonrpc: '2.0', id: 1, result: { content: [] } });
  response.end();
  await agent.response(1);
  assert.deepEqual([agent.responses(2), agent.responses('1')], [[], []]);
});

test('a line that is no message gets an error of the same id, where it has one', async (t) => {
  const agent = await BridgeUnderTest.start(t, windowDirectory(t));
  for (const [line, ids] of [
    ['junk', [null]],
    ['{"id":1,"method":', [null]],
    ['{"id":"x","method":5}', [null]],
    ['{"id":1,"method":"tools/call","params":tru}', [1]],
    ['{}', [null]],
    ['[]', [null]],
    ['[{"id":1,"method":"ping"},{"method":"a"},{"id":"b","method":"tools/call"}]', [1, 'b']],
    ['[{"method":"notifications/initialized"}]', []],
  ] as const) {
    agent.lines.length = 0;
    agent.write(line);
    await agent.request('end', 'ping');
    const errors = agent.messages.filter(({ error }) => error?.code === -32600).map(({ id }) => id);
    assert.deepEqual(errors, ids, line);
  }
});

test('an agent that does not read keeps the bridge from reading on from the window', async (t) => {
  const { agent, held } = await bridgeWithWindow(t);
  const calling = held('tools/call');
  let release = (): void => undefined;
  agent.hold = new Promise((resolve) => {
    release = resolve;
  });
  agent.send({ id: 1, method: 'tools/call' });
  const response = await calling;
  beginEvents(response);
  const note = { jsonrpc: '2.0', method: 'notifications/message', params: { text: 'x'.repeat(65_536) } };
  let isFull = false;
  for (let count = 0; count < 400 && !isFull; count += 1) {
    sendEvent(response, note);
    await new Promise((resolve) => setImmediate(resolve));
    isFull = response.writableNeedDrain && response.writableLength > 4 * 1024 * 1024;
  }
  assert.ok(isFull, 'what the agent does not take waits at the window');
  assert.equal(agent.lines.filter((line) => line.includes('notifications/message')).length, 1);
  agent.hold = undefined;
  release();
  sendEvent(response, { jsonrpc: '2.0', id: 1, result: { content: [] } });
  await agent.response(1);
});

test('a thousand calls at once use few connections, and each gets its own response', async (t) => {
  const { agent, window } = await bridgeWithWindow(t);
  const sockets = new Set<unknown>();
  window.respond = (response, { id }) => {
    sockets.add(response.socket);
    sendResult(response, id, { content: [{ type: 'text', text: String(id) }] });
  };
  const ids = Array.from({ length: 1_000 }, (_, number) => number);
  assert.deepEqual(await Promise.all(ids.map((id) => agent.call(id))), ids.map(String));
  assert.ok(sockets.size <= 64);
});
