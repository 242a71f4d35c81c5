import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { BridgeUnderTest, bridgeWithWindow, windowDirectory } from './bridgeUnderTest.ts';
import { beginEvents, sendEvent, sendResult, TestWindow } from './testWindow.ts';

for (const [id, requestId] of [
  [5, 5],
  ['server-call-5', 'server-call-5'],
  [1.5, 1.5],
] as const) {
  test(`a call of id ${JSON.stringify(id)} that the agent cancels ends at the window, and gets one response`, async (t) => {
    const { agent, window, held } = await bridgeWithWindow(t);
    const calling = held('tools/call');
    agent.send({ id, method: 'tools/call' });
    const closed = once(await calling, 'close');
    agent.send({ method: 'notifications/cancelled', params: { requestId, reason: 'stop' } });
    assert.equal((await agent.response(id)).error?.code, -32800);
    await closed;
    assert.deepEqual((await window.arrived('notifications/cancelled')).params, { requestId, reason: 'stop' });
    assert.equal((await agent.request('after', 'tools/list')).result?.tools?.length, 1);
    assert.equal(agent.responses(id).length, 1);
  });
}

test('a cancelled call leaves the window in use', async (t) => {
  const { agent, window, held } = await bridgeWithWindow(t);
  const { statusRequests } = window;
  const calling = held('tools/call');
  agent.send({ id: 1, method: 'tools/call' });
  const closed = once(await calling, 'close');
  agent.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
  await closed;
  await agent.request(2, 'tools/list');
  assert.equal(window.statusRequests, statusRequests);
});

test('a number and a string of the same text are different ids to cancel', async (t) => {
  const { agent, held } = await bridgeWithWindow(t);
  const calling = held('tools/call');
  agent.send({ id: '1', method: 'tools/call' });
  const response = await calling;
  agent.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
  agent.send({ method: 'notifications/cancelled' });
  await agent.request('after', 'tools/list');
  sendResult(response, '1', { content: [{ type: 'text', text: 'done' }] });
  assert.equal((await agent.response('1')).result?.content?.[0]?.text, 'done');
});

test('a response that arrives together with its cancel is the only one', async (t) => {
  const { agent, held } = await bridgeWithWindow(t);
  const calling = held('tools/call');
  agent.send({ id: 1, method: 'tools/call' });
  const response = await calling;
  beginEvents(response);
  sendEvent(response, { jsonrpc: '2.0', id: 1, result: {} });
  await agent.response(1);
  agent.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
  sendEvent(response, { jsonrpc: '2.0', id: 1, result: {} });
  response.end();
  await agent.request(2, 'tools/list');
  assert.equal(agent.responses(1).length, 1);
});

test('a request that is cancelled before a window is found is never sent', async (t) => {
  const directory = windowDirectory(t);
  const agent = await BridgeUnderTest.start(t, directory);
  const window = await TestWindow.start(t, directory);
  agent.send({ id: 1, method: 'tools/call' });
  agent.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
  assert.equal((await agent.response(1)).error?.code, -32800);
  await agent.request(2, 'tools/list');
  assert.ok(!window.methods.includes('tools/call'));
});
