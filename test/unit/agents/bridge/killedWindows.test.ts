import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { respondWithJson, ScriptedServer } from '../../gateway/scriptedServer.ts';
import { temporaryFolder } from '../listenerUnderTest.ts';
import { BridgeProcess } from './bridgeProcess.ts';

const windowProgram = fileURLToPath(new URL('windowProgram.ts', import.meta.url));
const calls = 600;
const inFlight = 24;
const callsToAKill = 100;

async function startWindow(t: TestContext, home: string, serverUrl: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [windowProgram, home, serverUrl], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout ?? child, 'data');
  return child;
}

test('while windows are killed and restarted, no tool call arrives at the server twice, and each gets one response', async (t) => {
  const home = temporaryFolder(t);
  mkdirSync(join(home, 'journal'), { mode: 0o700 });
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  const arrived: number[] = [];
  server.script = (response, { body, method }) => {
    const message = body === '' ? {} : JSON.parse(body);
    if (method !== 'POST') {
      response.writeHead(405).end();
    } else if (message.id === undefined) {
      response.writeHead(202).end();
    } else if (message.method === 'tools/call') {
      arrived.push(message.id);
      const content = [{ type: 'text', text: `done ${message.id}` }];
      setTimeout(() => respondWithJson(response, 200, { jsonrpc: '2.0', id: message.id, result: { content } }), 5);
    } else {
      const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x' }, tools: [] };
      respondWithJson(response, 200, { jsonrpc: '2.0', id: message.id, result });
    }
  };
  let windows = [await startWindow(t, home, server.url), await startWindow(t, home, server.url)];
  const bridge = BridgeProcess.start(t, join(home, 'journal'));
  await bridge.request({ id: 'open', method: 'initialize', params: { protocolVersion: '2025-11-25' } });

  const outcomes = new Map<number, string>();
  let next = 0;
  let replacing = Promise.resolve();
  const replace = async (): Promise<void> => {
    // Both windows, in turn the one in use and the other.
    const [killed, ...others] = windows;
    killed?.kill('SIGKILL');
    windows = [...others, await startWindow(t, home, server.url)];
  };
  const caller = async (end: number): Promise<void> => {
    while (next < end) {
      const id = next;
      next += 1;
      if (id % callsToAKill === callsToAKill / 2) {
        replacing = replace();
      }
      const { result } = await bridge.request({ id, method: 'tools/call', params: { name: 'notion-create-pages' } });
      outcomes.set(id, result?.content?.[0]?.text ?? '');
      assert.notEqual((await bridge.request({ id: `list ${id}`, method: 'tools/list' })).result, undefined);
    }
  };
  // The next window is killed only once there is another one again, however long that takes to start.
  while (next < calls) {
    const end = next + callsToAKill;
    await Promise.all(Array.from({ length: inFlight }, () => caller(end)));
    await replacing;
  }

  assert.equal(new Set(arrived).size, arrived.length, 'no call arrived twice');
  assert.equal(outcomes.size, calls);
  const done = [...outcomes].filter(([id, text]) => text === `done ${id}`);
  const interrupted = [...outcomes.values()].filter((text) => /^The window of the editor was closed/.test(text));
  const refused = [...outcomes].filter(([, text]) => /^No open window/.test(text));
  assert.equal(done.length + interrupted.length + refused.length, calls);
  for (const [id] of refused) {
    assert.ok(!arrived.includes(id), 'what was said not to be sent was not sent');
  }
  assert.ok(done.length > calls / 2, `${done.length} calls were carried`);
  assert.ok(interrupted.length > 0, 'calls were under way at windows that were killed');
  for (const id of outcomes.keys()) {
    assert.equal(bridge.responses(id).length, 1);
  }
  assert.equal(bridge.stderr, '');
});
