import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { chosenHost, oldestHost } from '../editor/host/hosts.mjs';
import { signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const wiki = 'notion-engineering-wiki';
const docs = 'notion2-engineering-docs';
const maxTries = 10;
/** The oldest version starts a server as soon as it finds it, and shows its label where others show its title. */
const isOldest = chosenHost() === oldestHost;
/** The tools that fetch from each workspace, and their groups in the tool picker. */
const shownAs = isOldest
  ? {
      wiki: { tool: 'mcp_notion-engine_notion-fetch', group: `MCP Server: ${wiki}` },
      docs: { tool: 'mcp_notion2-engin_notion-fetch', group: `MCP Server: ${docs}` },
    }
  : {
      wiki: { tool: 'mcp_notion_engine_notion-fetch', group: `Notion – Engineering Wiki${wiki}` },
      docs: { tool: 'mcp_notion_2_engi_notion-fetch', group: `Notion 2 – Engineering Docs${docs}` },
    };

describe('Notion’s tools in chat and agents', { timeout: 180_000 }, async () => {
  const { notion, editor, window, consumer } = await useTestbed({ logLevel: 'trace' });

  /** Opens the editor's list of servers until it shows the expected ones, because an open list is not updated. */
  async function waitForServers(expected: string[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await window.runCommand('MCP: List Servers');
      const servers = (await window.quickInput.items()).filter((name) => /^notion\d*-/.test(name)).sort();
      await window.quickInput.cancel();
      if (isDeepStrictEqual(servers, expected)) {
        return;
      }
      assert.ok(tries < maxTries, `shown: ${servers}`);
    }
  }

  /** Calls a tool that fetches who is connected, and confirms the call. */
  async function fetchSelfWith(name: string): Promise<string> {
    const result = consumer.callTool(name, { id: 'self' });
    await window.dialog.waitFor('Run notion-fetch');
    await window.dialog.click('Yes');
    return result;
  }

  test('after a sign-in the account’s MCP server is listed, starts and offers its tools without a second sign-in', async () => {
    await signIn(window);
    await window.runCommand('MCP: List Servers');
    await window.quickInput.waitFor(wiki);
    await window.screenshot('40-mcp-servers');
    await window.quickInput.choose(wiki);
    if (isOldest) {
      await window.quickInput.waitFor('Stop Server');
      await window.quickInput.cancel();
    } else {
      await window.quickInput.choose('Start Server');
    }
    notion.log.clear();
    await consumer.waitForTool('notion-fetch');
    assert.equal(await window.dialog.isShown(), false);
    assert.deepEqual(notion.requests({ path: '/register' }), [], 'the editor starts no sign-in of its own');
    assert.ok((await consumer.toolNames()).some((name) => name.includes('notion-search')));
  });

  test('for the editor’s own chat no bridge is started, as it uses the gateway directly', async () => {
    const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(processes.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
    const own = lines.filter((line) => line.includes(editor.directory));
    assert.notDeepEqual(own, []);
    assert.deepEqual(
      own.filter((line) => line.includes('/agents/')),
      [],
    );
    const launchers = await editor.filesContaining(['NOTION_MCP_EDITOR']);
    assert.ok(launchers.some((path) => path.endsWith('/agents/notion-mcp-bridge')));
  });

  test('a tool call succeeds before and after a renewal and after the access token was invalidated, without a restart of the MCP server', async () => {
    const name = (await consumer.toolNames()).find((each) => each.includes('notion-fetch')) ?? '';
    assert.match(await fetchSelfWith(name), /Ada Lovelace/);
    await window.runCommand('Notion MCP: Refresh Session');
    await window.notifications.waitFor('Refreshed');
    assert.match(await fetchSelfWith(name), /Ada Lovelace/);
    await notion.expireAccessTokens();
    assert.match(await fetchSelfWith(name), /Ada Lovelace/);
  });

  test('the scope of a challenge is shown as text without link or icon, and several scopes give one notification', async () => {
    const name = (await consumer.toolNames()).find((each) => each.includes('notion-fetch')) ?? '';
    const scopes = [
      '[Click](command:workbench.action.showCommands)',
      '$(bug)[a](https://evil.example)',
      'pages',
      'users',
    ];
    for (const scope of scopes) {
      const challenge = `Bearer error="insufficient_scope", scope="${scope} read"`;
      notion.faults.clear();
      notion.fault({ path: '/mcp' }, { kind: 'respond', status: 403, headers: { 'www-authenticate': challenge } });
      const result = consumer.callTool(name, { id: 'self' }).catch(String);
      await window.dialog.waitFor('Run notion-fetch');
      await window.dialog.click('Yes');
      assert.doesNotMatch(await result, /\]\(|\$\(/);
    }
    // The editor may have hidden it meanwhile.
    await window.notifications.openAll();
    const { message } = await window.notifications.waitFor('A tool needs more access');
    await window.screenshot('42-insufficient-scope');
    assert.ok(message.includes('[Click] (command:workbench.action.showCommands)'), message);
    const shown = (await window.notifications.list()).filter((each) => each.message.includes('needs more access'));
    assert.equal(shown.length, 1);
    assert.equal(await window.page.locator('.notification-list-item-message a').count(), 0);
    await window.notifications.dismiss('A tool needs more access');
    await window.notifications.closeAll();
  });

  test('a second workspace adds a second MCP server', async () => {
    const [engineering = assert.fail()] = notion.directory.workspaces;
    notion.directory.workspaces.push({ ...engineering, id: 'workspace-docs', name: 'Engineering Docs' });
    await signIn(window, { user: 'Ada Lovelace', workspace: 'Engineering Docs' });
    await waitForServers([wiki, docs]);
  });

  test('two workspaces whose names begin alike have different names in the tool picker, and the same tools in whatever order their MCP servers start', async () => {
    const assertTools = async (): Promise<void> => {
      await consumer.waitForTool('notion-fetch', 2);
      const tools = (await consumer.toolNames()).filter((name) => name.includes('notion-fetch'));
      assert.deepEqual(tools.sort(), [shownAs.wiki.tool, shownAs.docs.tool].sort());
      assert.match(await fetchSelfWith(shownAs.wiki.tool), /Engineering Wiki/);
      assert.match(await fetchSelfWith(shownAs.docs.tool), /Engineering Docs/);
    };
    const ids = [wiki, docs].map((label) => `seedling.notion-mcp-auth/${label}`);
    await consumer.command('workbench.mcp.startServer', ids[1]);
    await assertTools();
    // The editor remembers the names of servers that it has seen.
    await consumer.command('workbench.mcp.resetCachedTools');
    await window.reload();
    await consumer.waitForRestart();
    await waitForServers([wiki, docs]);
    for (const action of ['stop', 'start']) {
      await consumer.command(`workbench.mcp.${action}Server`, ids[1]);
      await consumer.command(`workbench.mcp.${action}Server`, ids[0]);
    }
    await assertTools();

    await consumer.command('workbench.action.chat.open');
    const picking = consumer.command('workbench.action.chat.configureTools');
    const groups = window.page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'engineering' });
    await groups.nth(1).waitFor();
    await window.screenshot('44-tool-picker');
    assert.deepEqual((await groups.allInnerTexts()).sort(), [shownAs.wiki.group, shownAs.docs.group].sort());
    await window.quickInput.cancel();
    await picking;
    await consumer.command('workbench.action.closeAuxiliaryBar');
  });

  test('a sign-out removes only the MCP server of its own account', async () => {
    // The editor shows the log of a server that it started, and moves the focus when that server is removed.
    await consumer.command('workbench.action.closePanel');
    await window.runCommand('Notion MCP: Sign Out');
    await window.quickInput.choose('Ada Lovelace (Engineering Wiki)');
    await window.dialog.click('Sign Out');
    await window.notifications.waitFor('Signed out of');
    await waitForServers([docs]);
  });

  test('another extension calls the MCP server directly as the README shows, also after its access token was invalidated', async () => {
    await consumer.requestConsent(window, 'Ada Lovelace (Engineering Docs)');
    const self = (): Promise<string> => consumer.callNotion(notion.mcpUrl, 'notion-fetch', { id: 'self' });
    assert.match(await self(), /Engineering Docs/);
    await notion.expireAccessTokens();
    const renewals = notion.requests({ path: '/token' }).length;
    assert.match(await self(), /Engineering Docs/);
    assert.equal(notion.requests({ path: '/token' }).length, renewals + 1);
  });

  test('Test Connection shows the result of each step', async () => {
    await window.runCommand('Notion MCP: Test Connection');
    await window.notifications.waitFor('is connected and has');
    await window.notifications.click('is connected and has', 'Show Details');
    await window.page.getByText('✓ Identify the account').waitFor();
    await window.screenshot('41-test-connection');
    await consumer.command('workbench.action.closeActiveEditor');
  });

  test('turning off notionMcp.offerMcpServer removes the MCP servers', async () => {
    await consumer.changeSetting('notionMcp.offerMcpServer', false);
    await waitForServers([]);
  });

  test('no secret of a tool call is in a log or in any other file of the editor', async () => {
    assert.deepEqual(await editor.filesContaining(notion.issuedSecrets()), []);
    // Only the gateway's own secret is sent as a bearer token here. The code of extensions may contain the word.
    const paths = await editor.filesContaining(['Bearer ']);
    assert.deepEqual(
      paths.filter((path) => !path.startsWith('extensions/') && !path.endsWith('/agents/bridge.cjs')),
      [],
    );
  });
});
