import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BridgeUnderTest, bridgeWithWindow, windowDirectory } from './bridgeUnderTest.ts';
import { beginEvents, sendEvent, TestWindow } from './testWindow.ts';

const windowGone =
  'The window of VS Code was closed while Notion was responding; the change may have been made. Check before you repeat it.';

test('a tool call whose window is closed gets the sentence, and is not sent to another window', async (t) => {
  const { agent, window, directory, held } = await bridgeWithWindow(t);
  const other = await TestWindow.start(t, directory, { number: 0 });
  const calling = held('tools/call');
  agent.send({ id: 1, method: 'tools/call' });
  await calling;
  await window.stop();
  const { result } = await agent.response(1);
  assert.deepEqual(result, { content: [{ type: 'text', text: windowGone }], isError: true });
  assert.equal(await agent.call(2), 'done');
  assert.deepEqual(
    other.posted.map(({ id }) => id),
    [2],
  );
});

test('a request of a method that is not known to be safe is not sent to another window either', async (t) => {
  const { agent, window, directory, held } = await bridgeWithWindow(t);
  const other = await TestWindow.start(t, directory, { number: 0 });
  const calling = held('tasks/cancel');
  agent.send({ id: 1, method: 'tasks/cancel' });
  await calling;
  await window.stop();
  assert.equal((await agent.response(1)).error?.message, windowGone);
  assert.deepEqual(other.methods, []);
});

test('a list whose window is closed is fetched through another window', async (t) => {
  const { agent, window, directory, held } = await bridgeWithWindow(t);
  const other = await TestWindow.start(t, directory, { number: 0 });
  const listing = held('tools/list');
  agent.send({ id: 1, method: 'tools/list' });
  beginEvents(await listing);
  await window.stop();
  assert.equal((await agent.response(1)).result?.tools?.length, 1);
  assert.deepEqual(other.methods, ['tools/list']);
  assert.equal(agent.responses(1).length, 1);
});

test('a window that is closed after a response, but before the end of its stream, does no harm', async (t) => {
  const { agent, window, directory, held } = await bridgeWithWindow(t);
  const other = await TestWindow.start(t, directory, { number: 0 });
  for (const method of ['tools/list', 'tools/call']) {
    const waiting = held(method);
    agent.send({ id: method, method });
    const response = await waiting;
    beginEvents(response);
    sendEvent(response, { jsonrpc: '2.0', id: method, result: { tools: [], content: [] } });
    await agent.response(method);
    response.destroy();
    await agent.request(`after ${method}`, 'resources/list');
    assert.equal(agent.responses(method).length, 1);
  }
  assert.equal(window.methods.filter((each) => each === 'tools/call').length, 1);
  assert.deepEqual(other.methods, []);
});

test('a call goes to another window where the one in use was closed while nothing was under way', async (t) => {
  const { agent, window, directory } = await bridgeWithWindow(t);
  const other = await TestWindow.start(t, directory, { number: 0 });
  await window.stop();
  assert.equal(await agent.call(1), 'done');
  assert.deepEqual(other.methods, ['tools/call']);
});

test('a bridge outlives all windows, and goes on in the next one', async (t) => {
  const { agent, window, directory } = await bridgeWithWindow(t);
  await window.stop();
  assert.match(await agent.call(1), /^No open window of VS Code offers this Notion account/);
  const next = await TestWindow.start(t, directory, { number: 5 });
  assert.equal(await agent.call(2), 'done');
  assert.deepEqual(next.methods, ['tools/call']);
});

test('windows that end every request are given up after five attempts', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory, { respond: (response) => response.destroy() });
  const agent = await BridgeUnderTest.start(t, directory);
  assert.deepEqual((await agent.request(1, 'tools/list')).result, { tools: [] });
  assert.equal(window.received.length, 5);
});
