import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BridgeUnderTest, windowDirectory } from './bridgeUnderTest.ts';
import { type Respond, respondAsServer, sendJson, TestWindow } from './testWindow.ts';

const listChanged = 'notifications/tools/list_changed';

/** Responds as a window does whose user has not allowed the agent. */
function refuse(kind: string, message: string): Respond {
  return (response, { id }) =>
    sendJson(response, 200, { jsonrpc: '2.0', id, error: { code: -32094, message, data: { kind } } });
}

const pending = refuse('consentPending', 'VS Code is asking whether Codex may use this Notion account.');
const denied = refuse('notAllowed', 'VS Code does not allow Codex to use this Notion account.');

async function refusedBridge(t: { after(cleanup: () => unknown): void }, respond: Respond) {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory, { respond });
  window.status = 'noConsent';
  const agent = await BridgeUnderTest.start(t, directory, { id: 'codex' });
  await agent.open();
  return { directory, window, agent };
}

/** How often the agent was told that the tools changed. */
function notices(agent: BridgeUnderTest): number {
  return agent.messages.filter(({ method }) => method === listChanged).length;
}

for (const [name, respond, sentence] of [
  ['is being asked about', pending, 'VS Code is asking whether Codex may use this Notion account.'],
  ['was denied', denied, 'VS Code does not allow Codex to use this Notion account.'],
] as const) {
  test(`an agent that the user ${name} begins a session, finds no tools, and a call gets the window’s sentence`, async (t) => {
    const { agent, window } = await refusedBridge(t, respond);
    assert.deepEqual((await agent.request(1, 'tools/list')).result, { tools: [] });
    const { result } = await agent.request(2, 'tools/call', { name: 'notion-fetch' });
    assert.deepEqual(result, { content: [{ type: 'text', text: sentence }], isError: true });
    assert.deepEqual(window.methods, ['initialize', 'initialize', 'tools/list', 'initialize', 'tools/call']);
  });
}

test('an agent that may not use an account does not see the tools that another agent was shown', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const other = await BridgeUnderTest.start(t, directory);
  await other.open();
  assert.equal((await other.request(1, 'tools/list')).result?.tools?.length, 1);
  window.status = 'noConsent';
  window.respond = denied;
  const agent = await BridgeUnderTest.start(t, directory, { id: 'codex' });
  await agent.open();
  assert.deepEqual((await agent.request(1, 'tools/list')).result, { tools: [] });
});

test('an agent that was denied finds no tools while no window is open either, nor when it starts again', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory, { id: 'codex' });
  await agent.open();
  assert.equal((await agent.request(1, 'tools/list')).result?.tools?.length, 1);
  window.status = 'noConsent';
  window.respond = denied;
  await agent.request(2, 'tools/list');
  await window.stop();
  assert.deepEqual((await agent.request(3, 'tools/list')).result, { tools: [] });
  await agent.stored;
  const later = await BridgeUnderTest.start(t, directory, { id: 'codex' });
  await later.open();
  assert.deepEqual((await later.request(1, 'tools/list')).result, { tools: [] });
});

test('an agent that was never allowed does not see without a window what another agent was shown', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const other = await BridgeUnderTest.start(t, directory);
  await other.open();
  await other.request(1, 'tools/list');
  await window.stop();
  const agent = await BridgeUnderTest.start(t, directory, { id: 'codex' });
  await agent.open();
  assert.deepEqual((await agent.request(1, 'tools/list')).result, { tools: [] });
  assert.equal((await other.request(2, 'tools/list')).result?.tools?.length, 1);
});

test('an agent is told once of its tools when the user allows it, and uses them without a new start', async (t) => {
  const { agent, window } = await refusedBridge(t, pending);
  await agent.request(1, 'tools/list');
  agent.noticeWindows();
  assert.match(await agent.call(2), /is asking/);
  assert.equal(notices(agent), 0);
  window.status = 'ready';
  window.respond = respondAsServer;
  agent.noticeWindows();
  agent.noticeWindows();
  await agent.message(({ method }) => method === listChanged);
  assert.equal((await agent.request(3, 'tools/list')).result?.tools?.length, 1);
  assert.equal(await agent.call(4), 'done');
  assert.equal(notices(agent), 1);
});

test('an agent is told once that it has lost its tools when the user withdraws them, and again when they are back', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory, { id: 'codex' });
  await agent.open();
  await agent.request(1, 'tools/list');
  agent.noticeDecision();
  assert.equal(await agent.call(2), 'done');
  assert.equal(notices(agent), 0);
  window.status = 'noConsent';
  window.respond = denied;
  agent.noticeDecision();
  agent.noticeDecision();
  await agent.message(({ method }) => method === listChanged);
  assert.deepEqual((await agent.request(3, 'tools/list')).result, { tools: [] });
  assert.equal(notices(agent), 1);
  window.status = 'ready';
  window.respond = respondAsServer;
  agent.noticeWindows();
  await agent.message(() => notices(agent) === 2);
  assert.equal((await agent.request(4, 'tools/list')).result?.tools?.length, 1);
});

test('chat that an account is no longer offered in loses its tools, and no request reaches the window', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.open();
  await agent.request(1, 'tools/list');
  window.status = 'notAllowed';
  agent.noticeDecision();
  await agent.message(({ method }) => method === listChanged);
  assert.deepEqual((await agent.request(2, 'tools/list')).result, { tools: [] });
  assert.match(await agent.call(3), /^This account is not offered in the chat of VS Code\./);
  assert.equal(window.methods.filter((method) => method.startsWith('tools/')).length, 1);
});

test('a decision while the window in use is closed moves the bridge to another window', async (t) => {
  const directory = windowDirectory(t);
  const other = await TestWindow.start(t, directory, { number: 1 });
  const window = await TestWindow.start(t, directory, { number: 2 });
  const agent = await BridgeUnderTest.start(t, directory, { id: 'codex' });
  await agent.open();
  await agent.request(1, 'tools/list');
  await window.stop();
  other.status = 'noConsent';
  other.respond = denied;
  agent.noticeDecision();
  await agent.message(({ method }) => method === listChanged);
});

test('the next request of an agent that was refused looks for a window that serves it by then', async (t) => {
  const { agent, directory } = await refusedBridge(t, denied);
  assert.match(await agent.call(1), /does not allow/);
  await TestWindow.start(t, directory, { number: 0 });
  assert.equal(await agent.call(2), 'done');
});
