import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openGateway } from '../gateway/gatewayUnderTest.ts';
import { respondWithResult, ScriptedServer } from '../gateway/scriptedServer.ts';
import { account, BridgeProcess } from './bridge/bridgeProcess.ts';
import { grantOf, ListenerUnderTest, temporaryFolder } from './listenerUnderTest.ts';

/** The bridge as it was first released, frozen: agents run it on for days after an update. Never build it anew. */
const firstBridge = fileURLToPath(new URL('./version1/bridge.cjs', import.meta.url));

test('a bridge of protocol version 1 still works with a window of today', async (t) => {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  server.script = respondWithResult;
  const { gateway } = await openGateway(t, server.url);
  const grant = { ...grantOf('ada'), serverNames: { handle: account, title: 'Notion – Engineering Wiki' } };
  const window = new ListenerUnderTest(t, temporaryFolder(t), { grants: [grant], gateway: async () => gateway });
  await window.update();
  const bridge = BridgeProcess.start(t, window.directory, { program: firstBridge });
  const { result } = await bridge.request({ id: 1, method: 'resources/list' });
  assert.deepEqual(result, { method: 'resources/list' });
  const called = await bridge.request({ id: 'call', method: 'tools/call', params: { name: 'notion-fetch' } });
  assert.deepEqual(called.result, { method: 'tools/call' });
  assert.equal(server.received.length, 2);
});

test('a bridge of protocol version 1 says that Notion’s tools are switched off where the account is not offered in chat', async (t) => {
  const grant = { ...grantOf('ada'), serverNames: { handle: account, title: 'Notion – Engineering Wiki' } };
  const window = new ListenerUnderTest(t, temporaryFolder(t), { grants: [grant] });
  await window.consent.allow(account, 'codex');
  await window.consent.setOffered(account, false);
  await window.update();
  const bridge = BridgeProcess.start(t, window.directory, { program: firstBridge });
  const { result } = await bridge.request({ id: 1, method: 'tools/call', params: { name: 'notion-fetch' } });
  assert.match(result?.content?.[0]?.text ?? '', /^Notion’s tools are switched off in the editor\./);
});
