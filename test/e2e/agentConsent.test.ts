import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { BridgeProcess } from '../unit/agents/bridge/bridgeProcess.ts';
import { waitInFolder } from './driver/waitInFolder.ts';
import { signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const wiki = 'notion-engineering-wiki';
const isListChanged = ({ method }: { method?: string }) => method === 'notifications/tools/list_changed';

describe('what agents may do', { timeout: 180_000 }, async () => {
  const { editor, window, consumer } = await useTestbed();
  await signIn(window);
  const launcher = await launcherIn(editor.directory);
  const log = editor.log('seedling.notion-mcp-auth');

  /** An agent beside the editor that knows how to start the bridge. */
  async function startAgent(name: string): Promise<BridgeProcess> {
    const agent = BridgeProcess.launch({ after }, launcher, name);
    await agent.request({ id: 'open', method: 'initialize', params: { protocolVersion: '2025-11-25' } });
    agent.send({ method: 'notifications/initialized' });
    return agent;
  }

  let calls = 0;
  async function callOf(agent: BridgeProcess): Promise<string> {
    calls += 1;
    const params = { name: 'notion-fetch', arguments: { id: 'self' } };
    const { result } = await agent.request({ id: `call ${calls}`, method: 'tools/call', params });
    return result?.content?.[0]?.text ?? '';
  }

  async function toolCount(agent: BridgeProcess): Promise<number> {
    calls += 1;
    return (await agent.request({ id: `list ${calls}`, method: 'tools/list' })).result?.tools?.length ?? -1;
  }

  async function manage(): Promise<string[]> {
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.choose(ada);
    await window.quickInput.waitFor('Sign out');
    return window.quickInput.items();
  }

  const codex = await startAgent('codex');

  test('an agent that starts is asked about once, has no tools meanwhile, and its call says that the user is being asked', async () => {
    assert.equal(await toolCount(codex), 0);
    const asking = / is asking whether Codex may use this Notion account\. Allow it there, then try again\.$/;
    assert.match(await callOf(codex), asking);
    const { message, buttons } = await window.notifications.waitFor('Codex wants to use');
    assert.match(message, /^Codex wants to use the Notion account Ada Lovelace \(Engineering Wiki\) through /);
    assert.deepEqual(buttons, ['Allow', 'Don’t Allow']);
    await window.screenshot('45-agent-consent');
    assert.equal((await window.notifications.list()).filter((each) => each.message === message).length, 1);
  });

  test('Don’t Allow is remembered, also by an agent that starts later', async () => {
    await window.notifications.click('Codex wants to use', 'Don’t Allow');
    await window.notifications.waitForNone('Codex wants to use');
    await log.waitFor(/The user decided about an agent\. agent=codex isAllowed=false/);
    const later = await startAgent('codex');
    assert.match(
      await callOf(later),
      / does not allow Codex to use this Notion account\. Run “Notion MCP: Manage Accounts”/,
    );
    assert.equal(await toolCount(later), 0);
    later.endInput();
    assert.deepEqual(await window.notifications.list(), []);
  });

  test('Allow gives an agent its tools without a new start', async () => {
    const claude = await startAgent('claude-code');
    await window.notifications.click('Claude Code wants to use', 'Allow');
    await claude.message(isListChanged);
    assert.ok((await toolCount(claude)) > 0);
    assert.match(await callOf(claude), /Ada Lovelace/);
    assert.match(await callOf(codex), /does not allow/);
    claude.endInput();
  });

  test('Manage Accounts shows which agents use an account and when, and allows one that was denied', async () => {
    const items = await manage();
    await window.screenshot('46-used-by');
    const usedBy = items.find((item) => item.startsWith('Used by')) ?? '';
    assert.match(usedBy, /^Used by: Claude Code \(today \d{1,2}:\d{2}\s[AP]M\)$/);
    await window.quickInput.choose(usedBy);
    await window.quickInput.waitFor('Withdraw the access of Claude Code');
    await window.screenshot('47-agents');
    await window.quickInput.choose('Allow Codex');
    await window.quickInput.waitFor('Sign out');
    await window.quickInput.cancel();
    await codex.message(isListChanged);
    assert.ok((await toolCount(codex)) > 0);
    assert.match(await callOf(codex), /Ada Lovelace/);
  });

  test('Offer in chat takes the account from the editor’s chat, and leaves it to the agents', async () => {
    const offered = await manage();
    assert.ok(offered.includes('Offer in chat: on'), offered.join());
    await window.quickInput.choose('Offer in chat: on');
    await window.quickInput.waitFor('Offer in chat: off');
    await window.screenshot('48-not-offered');
    await window.quickInput.cancel();
    await window.runCommand('MCP: List Servers');
    await window.quickInput.items();
    // The editor hears of the change a moment later, and then also changes the list that is open.
    await window.quickInput.waitForNone(wiki);
    await window.quickInput.cancel();
    assert.match(await callOf(codex), /Ada Lovelace/);
    const chat = await startAgent('editor');
    assert.match(await callOf(chat), /^This account is not offered in the chat of /);
    await manage();
    await window.quickInput.choose('Offer in chat: off');
    await window.quickInput.waitFor('Offer in chat: on');
    await window.quickInput.cancel();
    assert.match(await callOf(chat), /Ada Lovelace/);
    chat.endInput();
    const items = await manage();
    await window.screenshot('49-used-in-chat');
    assert.ok(items.includes('Offer in chat: on'));
    await window.quickInput.cancel();
  });

  test('an agent that was allowed finds a window also while notionMcp.offerMcpServer is off', async () => {
    await consumer.changeSetting('notionMcp.offerMcpServer', false);
    assert.match(await callOf(codex), /Ada Lovelace/);
    const later = await startAgent('codex');
    assert.match(await callOf(later), /Ada Lovelace/);
    later.endInput();
    assert.ok((await manage()).includes('Offer in chat: off for all accounts'));
    await window.quickInput.cancel();
  });

  test('an agent whose access is withdrawn loses its tools at once', async () => {
    const notices = codex.count(isListChanged);
    const usedBy = (await manage()).find((item) => item.startsWith('Used by')) ?? '';
    await window.quickInput.choose(usedBy);
    await window.quickInput.choose('Withdraw the access of Codex');
    await window.quickInput.waitFor('Sign out');
    await window.quickInput.cancel();
    await codex.message(isListChanged, notices + 1);
    assert.equal(await toolCount(codex), 0);
    assert.match(await callOf(codex), /does not allow Codex/);
  });

  test('the log names the agents of calls, and none of their words', async () => {
    const text = await log.waitFor(/The gateway responds with an error\. agent=codex method=POST kind=notAllowed/);
    assert.doesNotMatch(text, /notion-fetch/);
  });
});

/** Waits until the extension has installed the launcher. */
async function launcherIn(directory: string): Promise<string> {
  const storage = join(directory, 'data/User/globalStorage');
  const path = join(storage, 'seedling.notion-mcp-auth/agents/notion-mcp-bridge');
  const found = await waitInFolder(storage, async () => (existsSync(path) ? path : undefined));
  return found ?? assert.fail('no launcher was installed');
}
