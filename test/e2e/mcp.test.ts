import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { directoryVariable } from '../editor/consumer/protocol.ts';
import { chosenHost, oldestHost } from '../editor/host/hosts.mjs';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { Consumer } from './consumer.ts';
import { Editor } from './driver/editor.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { consumerVsix, extensionVsix } from './driver/vsix.ts';
import { signIn } from './signIn.ts';

const wiki = 'Notion – Engineering Wiki';
const mostLooks = 10;

describe('Notion’s tools in chat and agents', { timeout: 150_000 }, () => {
  let notion: NotionServer;
  let editor: Editor;
  let window: EditorWindow;
  let consumer: Consumer;
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'consumers-'));
    notion = await startNotionServer({ version: 'today' });
    editor = await Editor.start({
      extensions: [extensionVsix, consumerVsix],
      settings: { 'notionMcp.serverUrl': notion.mcpUrl },
      environment: { [directoryVariable]: directory },
      logLevel: 'trace',
    });
    window = await editor.openWindow();
    consumer = await Consumer.appears(directory);
  });

  after(async () => {
    await editor?.stop();
    await notion?.close();
    await rm(directory, { recursive: true, force: true });
  });

  afterEach(async (context) => {
    const { passed, name } = context as TestContext & { passed: boolean };
    if (!passed) {
      await editor.keepEvidence(name);
    }
  });

  /** The tools that the editor offers to a model. */
  function tools(): Promise<string[]> {
    return consumer.toolNames();
  }

  /** The editor's list of servers shows what was there when it opened, and says nothing of what comes and goes. */
  async function serversBecome(expected: string[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await window.runCommand('MCP: List Servers');
      const servers = (await window.quickInput.items()).filter((name) => name.startsWith('Notion –'));
      await window.quickInput.cancel();
      if (isDeepStrictEqual(servers, expected)) {
        return;
      }
      assert.ok(tries < mostLooks, `shown: ${servers}`);
    }
  }

  test('a server appears with a sign-in, starts and gives its tools, with no second sign-in', async () => {
    await signIn(window, { user: 'Ada Lovelace', workspace: 'Engineering Wiki' });
    await window.runCommand('MCP: List Servers');
    await window.quickInput.waitFor(wiki);
    await window.screenshot('40-mcp-servers');
    await window.quickInput.choose(wiki);
    if (chosenHost() === oldestHost) {
      // What it finds, it starts without a click.
      await window.quickInput.waitFor('Stop Server');
      await window.quickInput.cancel();
    } else {
      await window.quickInput.choose('Start Server');
    }
    notion.log.clear();
    await consumer.toolsAppear('notion-fetch');
    assert.equal(await window.dialog.isShown(), false);
    assert.deepEqual(notion.requests({ path: '/register' }), [], 'the editor signs in nowhere by itself');
    assert.ok((await tools()).some((name) => name.includes('notion-search')));
  });

  test('a tool answers, before and after a renewal and after the server forgot the token, without a restart', async () => {
    const name = (await tools()).find((each) => each.includes('notion-fetch')) ?? '';
    const self = async (): Promise<string> => {
      const answer = consumer.callTool(name, { id: 'self' });
      await window.dialog.waitFor('Run notion-fetch');
      await window.dialog.click('Yes');
      return answer;
    };
    assert.match(await self(), /Ada Lovelace/);
    await window.runCommand('Notion MCP: Refresh Session');
    await window.notifications.waitFor('Refreshed');
    assert.match(await self(), /Ada Lovelace/);
    await notion.expireAccessTokens();
    assert.match(await self(), /Ada Lovelace/);
  });

  test('a second workspace is a second server, and a sign-out takes its own away', async () => {
    await signIn(window, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    await window.runCommand('MCP: List Servers');
    await window.quickInput.waitFor('Notion – Team Notes');
    await window.quickInput.cancel();
    // The editor shows the log of a server that it started, and takes the focus from everything when the server goes.
    await consumer.command('workbench.action.closePanel');
    await window.runCommand('Notion MCP: Sign Out');
    await window.quickInput.choose('Ada Lovelace (Engineering Wiki)');
    await window.dialog.click('Sign Out');
    await window.notifications.waitFor('Signed out of');
    await serversBecome(['Notion – Team Notes']);
  });

  test('another extension calls the server itself as the README shows, also after the server forgot its token', async () => {
    const asking = consumer.ask({ scopes: ['default'], options: { createIfNone: true } });
    await window.dialog.click('Allow');
    await window.quickInput.choose('Ada Lovelace (Team Notes)');
    await asking;
    const self = (): Promise<string> => consumer.callNotion(notion.mcpUrl, 'notion-fetch', { id: 'self' });
    assert.match(await self(), /Team Notes/);
    await notion.expireAccessTokens();
    const renewals = notion.requests({ path: '/token' }).length;
    assert.match(await self(), /Team Notes/);
    assert.equal(notion.requests({ path: '/token' }).length, renewals + 1);
  });

  test('Test Connection shows each link of the chain', async () => {
    await window.runCommand('Notion MCP: Test Connection');
    await window.notifications.waitFor('is connected and has');
    await window.notifications.click('is connected and has', 'Show Details');
    await window.page.getByText('✓ Account identified').waitFor();
    await window.screenshot('41-test-connection');
    await consumer.command('workbench.action.closeActiveEditor');
  });

  test('the setting takes the servers away', async () => {
    await consumer.changeSetting('notionMcp.offerMcpServer', false);
    await serversBecome([]);
  });

  test('no secret is in a log or in any other file of the editor', async () => {
    assert.deepEqual(await editor.filesHolding(notion.issuedSecrets()), []);
    // The gateway's own secret travels as a bearer token and nothing else does here; code of extensions is no record.
    const records = await editor.filesHolding(['Bearer ']);
    assert.deepEqual(
      records.filter((path) => !path.startsWith('extensions/')),
      [],
    );
  });
});
