import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BridgeUnderTest, windowDirectory } from './bridgeUnderTest.ts';
import { respondAsServer, sendJson, sendResult, serverInfo, TestWindow } from './testWindow.ts';

const noWindow =
  'No open window of VS Code offers this Notion account. Open VS Code, then try again; if it is open, run “Notion MCP: Manage Accounts” there.';
const modern = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };

test('without a window and a cache an agent can begin a session, in the revision that it speaks, and finds no tools', async (t) => {
  const agent = await BridgeUnderTest.start(t, windowDirectory(t));
  for (const protocolVersion of ['2025-11-25', '2025-06-18', '2024-11-05']) {
    const { result } = await agent.request(protocolVersion, 'initialize', { protocolVersion });
    assert.equal(result?.protocolVersion, protocolVersion);
    assert.deepEqual(result?.capabilities, { tools: { listChanged: true } });
    assert.deepEqual(result?.serverInfo, { name: 'notion', version: '1' });
  }
  assert.deepEqual((await agent.request(1, 'tools/list')).result, { tools: [] });
});

test('without a window and a cache server/discover is unknown, so that the agent begins a session', async (t) => {
  const agent = await BridgeUnderTest.start(t, windowDirectory(t));
  agent.send({ id: 'server-discover-probe-1', method: 'server/discover', params: modern });
  assert.equal((await agent.response('server-discover-probe-1')).error?.code, -32601);
});

test('a tool call without a window gets the sentence as the tool’s error at once, and the sentence names the editor', async (t) => {
  const agent = await BridgeUnderTest.start(t, windowDirectory(t));
  await agent.open();
  const { result } = await agent.request(1, 'tools/call', { name: 'notion-fetch' });
  assert.deepEqual(result, { content: [{ type: 'text', text: noWindow }], isError: true });
  assert.equal((await agent.request(2, 'tools/call', { name: 'x', ...modern })).result?.resultType, 'complete');
});

test('another request without a window gets the sentence as an error', async (t) => {
  const agent = await BridgeUnderTest.start(t, windowDirectory(t));
  const { error } = await agent.request(1, 'resources/list');
  assert.deepEqual(error, { code: -32093, message: noWindow, data: { kind: 'noWindow' } });
});

for (const [status, sentence] of [
  ['unknownAccount', /^This account is not signed in to Notion in VS Code\./],
  ['notAllowed', /^This account is not offered in the chat of VS Code\. Turn on “notionMcp\.offerMcpServer”/],
  ['a word of a later version', /^A window of VS Code runs another version .* Run “Developer: Reload Window” there/],
] as const) {
  test(`a tool call says so where the only window says ${status}`, async (t) => {
    const directory = windowDirectory(t);
    const window = await TestWindow.start(t, directory);
    window.status = status;
    const agent = await BridgeUnderTest.start(t, directory);
    await agent.open();
    assert.match(await agent.call(1), sentence);
    assert.deepEqual(window.received, []);
  });
}

test('a bridge without a window says what the server said last to another bridge, but for the workspace’s name', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const discovered = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, resultType: 'complete' };
  window.respond = (response, request) =>
    request.method === 'server/discover'
      ? sendResult(response, request.id, discovered)
      : respondAsServer(response, request);
  const first = await BridgeUnderTest.start(t, directory);
  assert.equal((await first.open()).result?.serverInfo !== undefined, true);
  await first.request(1, 'tools/list');
  await first.request(2, 'server/discover', modern);
  await first.stored;
  await window.stop();

  const second = await BridgeUnderTest.start(t, directory);
  const { result } = await second.open();
  const { title: _title, ...untitled } = serverInfo;
  assert.deepEqual(result?.serverInfo, untitled);
  assert.equal(result?.protocolVersion, '2025-11-25', 'the revision that the agent speaks');
  assert.equal((await second.request(1, 'tools/list')).result?.tools?.length, 1);
  const known = (await second.request(2, 'server/discover', modern)).result;
  assert.deepEqual(known, { ...discovered });
});

test('a page of tools after the first is not the cached one, and the cached one has no further page', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  window.respond = (response, { id }) => sendResult(response, id, { tools: [{ name: 'a' }], nextCursor: 'more' });
  const agent = await BridgeUnderTest.start(t, directory);
  assert.equal((await agent.request(1, 'tools/list')).result?.nextCursor, 'more');
  await window.stop();
  assert.deepEqual((await agent.request(2, 'tools/list')).result, { tools: [{ name: 'a' }] });
  assert.equal((await agent.request(3, 'tools/list', { cursor: 'more' })).error?.message, noWindow);
});

test('list_changed is sent once when a window comes, and not before', async (t) => {
  const directory = windowDirectory(t);
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.open();
  await agent.request(1, 'tools/list');
  assert.equal(agent.isWatching, true);
  agent.noticeWindows();
  await agent.call(2);
  assert.ok(!agent.lines.some((line) => line.includes('list_changed')));
  await TestWindow.start(t, directory);
  agent.noticeWindows();
  agent.noticeWindows();
  await agent.message(({ method }) => method === 'notifications/tools/list_changed');
  assert.equal(agent.isWatching, false);
  assert.equal((await agent.request(3, 'tools/list')).result?.tools?.length, 1);
  assert.equal(agent.lines.filter((line) => line.includes('list_changed"')).length, 1);
});

test('an agent of revision 2026-07-28, which has not subscribed, gets no list_changed', async (t) => {
  const directory = windowDirectory(t);
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.request(1, 'tools/list', modern);
  const window = await TestWindow.start(t, directory);
  agent.noticeWindows();
  await agent.call(2);
  assert.equal(agent.isWatching, false);
  assert.deepEqual(
    agent.messages.map(({ id }) => id),
    [1, 2],
  );
  assert.equal(window.methods.length, 1);
});

test('what the gateway cannot carry is taken from the cache, and a tool call gets the gateway’s sentence', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.open();
  await agent.request(1, 'tools/list');
  const error = { code: -32081, message: 'Notion cannot be reached.', data: { kind: 'unreachable' } };
  window.respond = (response, { id }) => sendJson(response, 200, { jsonrpc: '2.0', id, error });
  assert.equal((await agent.request(2, 'tools/list')).result?.tools?.length, 1);
  assert.equal(
    (await agent.request(3, 'initialize', { protocolVersion: '2025-11-25' })).result?.protocolVersion,
    '2025-11-25',
  );
  assert.equal(await agent.call(4), 'Notion cannot be reached.');
  assert.deepEqual((await agent.request(5, 'resources/list')).error, error);
});

test('tools that the gateway could not fetch, and nothing knows, are announced later', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory);
  const error = { code: -32081, message: 'Notion cannot be reached.', data: { kind: 'unreachable' } };
  window.respond = (response, { id }) => sendJson(response, 200, { jsonrpc: '2.0', id, error });
  await agent.open();
  assert.deepEqual((await agent.request(1, 'tools/list')).result, { tools: [] });
  window.respond = respondAsServer;
  agent.noticeWindows();
  await agent.message(({ method }) => method === 'notifications/tools/list_changed');
  assert.equal((await agent.request(2, 'tools/list')).result?.tools?.length, 1);
});

test('an error of the server itself reaches the agent', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory);
  const error = { code: -32602, message: 'Unknown tool', data: { kind: 'x' } };
  window.respond = (response, { id }) => sendJson(response, 200, { jsonrpc: '2.0', id, error });
  assert.deepEqual((await agent.request(1, 'tools/call')).error, error);
  assert.deepEqual((await agent.request(2, 'tools/list')).error, error);
});
