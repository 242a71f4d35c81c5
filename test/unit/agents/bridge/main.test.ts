import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cachePath } from '../../../../src/agents/cachePath.ts';
import { account, BridgeProcess } from './bridgeProcess.ts';
import { windowDirectory } from './bridgeUnderTest.ts';
import { respondAsServer, sendResult, TestWindow } from './testWindow.ts';

const initialize = { id: 'open', method: 'initialize', params: { protocolVersion: '2025-11-25' } };

/** A process that has responded, and whose call to a tool is under way. */
async function busyProcess(t: { after(cleanup: () => unknown): void }) {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  window.respond = (response, request) => {
    if (request.method !== 'tools/call') {
      respondAsServer(response, request);
    }
  };
  const bridge = BridgeProcess.start(t, directory);
  await bridge.request(initialize);
  bridge.send({ id: 1, method: 'tools/call' });
  await window.arrived('tools/call');
  return { directory, window, bridge };
}

test('a bridge ends at once at the end of its input, also with a call under way, and says nothing', async (t) => {
  const { bridge } = await busyProcess(t);
  bridge.endInput();
  assert.deepEqual(await bridge.ended, { code: 0, signal: null });
  assert.equal(bridge.stderr, '');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`a bridge ends at once at ${signal}, also with a call under way, and says nothing`, {
    skip: process.platform === 'win32',
  }, async (t) => {
    const { bridge } = await busyProcess(t);
    bridge.kill(signal);
    assert.deepEqual(await bridge.ended, { code: 0, signal: null });
    assert.equal(bridge.stderr, '');
  });
}

test('a bridge ends when its agent has died', async (t) => {
  const { bridge } = await busyProcess(t);
  bridge.abandon();
  await bridge.ended;
});

test('a bridge that waits for windows ends at the end of its input, and starts again with what the server said', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const first = BridgeProcess.start(t, directory);
  await first.request(initialize);
  assert.equal((await first.request({ id: 1, method: 'tools/list' })).result?.tools?.length, 1);
  // At once, as the test of a new connection does.
  first.endInput();
  await first.ended;
  const cache = await cachePath(directory, { handle: account, agent: 'editor' });
  assert.match(readFileSync(cache, 'utf8'), /tools\/list/);
  await window.stop();
  const second = BridgeProcess.start(t, directory);
  await second.request(initialize);
  assert.equal((await second.request({ id: 1, method: 'tools/list' })).result?.tools?.length, 1);
  second.endInput();
  assert.deepEqual(await second.ended, { code: 0, signal: null });
  assert.equal(second.stderr, '');
});

test('a bridge without a window notices a new one by itself', async (t) => {
  const directory = windowDirectory(t);
  const bridge = BridgeProcess.start(t, directory);
  await bridge.request(initialize);
  assert.deepEqual((await bridge.request({ id: 1, method: 'tools/list' })).result, { tools: [] });
  await TestWindow.start(t, directory);
  await bridge.message(({ method }) => method === 'notifications/tools/list_changed');
  assert.equal((await bridge.request({ id: 2, method: 'tools/list' })).result?.tools?.length, 1);
  assert.equal(bridge.stderr, '');
});

test('a bridge needs nothing of the environment, and names the editor that it is told of', async (t) => {
  const directory = windowDirectory(t);
  for (const [env, sentence] of [
    [{}, /^No open window of the editor offers/],
    [{ NOTION_MCP_EDITOR: 'VS Code – Insiders' }, /^No open window of VS Code – Insiders offers/],
  ] as const) {
    const bridge = BridgeProcess.start(t, directory, { env });
    const { result } = await bridge.request({ id: 1, method: 'tools/call' });
    assert.match(result?.content?.[0]?.text ?? '', sentence);
  }
});

test('a bridge that is started without its arguments says so and ends', async (t) => {
  const bridge = BridgeProcess.start(t, windowDirectory(t), { args: ['--account', 'x'] });
  assert.deepEqual(await bridge.ended, { code: 2, signal: null });
  assert.match(bridge.stderr, /^notion-mcp-bridge: [^\n]+\n$/);
});

test('a bridge that is started for an agent without a proper id says so and ends', async (t) => {
  const directory = windowDirectory(t);
  for (const agent of ['', 'Codex', '../codex', 'a'.repeat(33), 'codex\n']) {
    const args = ['--directory', directory, '--account', account, `--agent=${agent}`];
    const bridge = BridgeProcess.start(t, directory, { args });
    assert.deepEqual(await bridge.ended, { code: 2, signal: null });
    assert.match(bridge.stderr, /^notion-mcp-bridge: --agent must be up to 32 of the characters [^\n]+\n$/);
  }
});

test('a bridge that has shown tools notices by itself that the user has withdrawn them', async (t) => {
  const { bridge, directory, window } = await busyProcess(t);
  await bridge.request({ id: 'tools', method: 'tools/list' });
  window.status = 'noConsent';
  writeFileSync(join(directory, 'x.codex.used'), '');
  writeFileSync(join(directory, 'x.codex.consent'), 'denied');
  await bridge.message(({ method }) => method === 'notifications/tools/list_changed');
});

test('results of 10 MiB reach an agent that reads late, without a warning', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const text = 'ü'.repeat(5 * 1024 * 1024);
  window.respond = (response, { id }) => sendResult(response, id, { content: [{ type: 'text', text }] });
  const bridge = BridgeProcess.start(t, directory);
  bridge.stopReading();
  const ids = Array.from({ length: 12 }, (_, number) => number);
  const responses = ids.map((id) => bridge.request({ id, method: 'tools/call' }));
  await window.arrived('tools/call', 12);
  bridge.readOn();
  for (const { result } of await Promise.all(responses)) {
    assert.ok(result?.content?.[0]?.text === text);
  }
  assert.equal(bridge.stderr, '');
});

test('nothing of a window’s secret is in a bridge’s command line or environment', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const { bridge, window } = await busyProcess(t);
  const authorization = window.received[0]?.headers.authorization ?? '';
  assert.match(authorization, /^Bearer .{43}$/);
  for (const file of ['cmdline', 'environ']) {
    assert.ok(!readFileSync(`/proc/${bridge.pid}/${file}`, 'utf8').includes(authorization.slice('Bearer '.length)));
  }
});
