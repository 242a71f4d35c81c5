import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { chosenHost, oldestHost } from '../editor/host/hosts.mjs';
import { signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const wiki = 'notion-engineering-wiki';
const maxTries = 10;

describe('Notion’s tools in chat and agents', { timeout: 150_000 }, async () => {
  const { notion, editor, window, consumer } = await useTestbed({ logLevel: 'trace' });

  /** Opens the editor's list of servers until it shows the expected ones, because an open list is not updated. */
  async function waitForServers(expected: string[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      await window.runCommand('MCP: List Servers');
      const servers = (await window.quickInput.items()).filter((name) => name.startsWith('notion-'));
      await window.quickInput.cancel();
      if (isDeepStrictEqual(servers, expected)) {
        return;
      }
      assert.ok(tries < maxTries, `shown: ${servers}`);
    }
  }

  test('after a sign-in the account’s MCP server is listed, starts and offers its tools without a second sign-in', async () => {
    await signIn(window);
    await window.runCommand('MCP: List Servers');
    await window.quickInput.waitFor(wiki);
    await window.screenshot('40-mcp-servers');
    await window.quickInput.choose(wiki);
    if (chosenHost() === oldestHost) {
      // This version starts a server as soon as it finds it.
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

  test('a tool call succeeds before and after a renewal and after the access token was invalidated, without a restart of the MCP server', async () => {
    const name = (await consumer.toolNames()).find((each) => each.includes('notion-fetch')) ?? '';
    const self = async (): Promise<string> => {
      const result = consumer.callTool(name, { id: 'self' });
      await window.dialog.waitFor('Run notion-fetch');
      await window.dialog.click('Yes');
      return result;
    };
    assert.match(await self(), /Ada Lovelace/);
    await window.runCommand('Notion MCP: Refresh Session');
    await window.notifications.waitFor('Refreshed');
    assert.match(await self(), /Ada Lovelace/);
    await notion.expireAccessTokens();
    assert.match(await self(), /Ada Lovelace/);
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
    const { message } = await window.notifications.waitFor('A tool needs more access');
    await window.screenshot('42-insufficient-scope');
    assert.ok(message.includes('[Click] (command:workbench.action.showCommands)'), message);
    const shown = (await window.notifications.list()).filter((each) => each.message.includes('needs more access'));
    assert.equal(shown.length, 1);
    assert.equal(await window.page.locator('.notification-list-item-message a').count(), 0);
    await window.notifications.dismiss('A tool needs more access');
  });

  test('a second workspace adds a second MCP server, and a sign-out removes only its own', async () => {
    await signIn(window, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    await window.runCommand('MCP: List Servers');
    await window.quickInput.waitFor('notion-team-notes');
    await window.quickInput.cancel();
    // The editor shows the log of a server that it started, and moves the focus when that server is removed.
    await consumer.command('workbench.action.closePanel');
    await window.runCommand('Notion MCP: Sign Out');
    await window.quickInput.choose('Ada Lovelace (Engineering Wiki)');
    await window.dialog.click('Sign Out');
    await window.notifications.waitFor('Signed out of');
    await waitForServers(['notion-team-notes']);
  });

  test('another extension calls the MCP server directly as the README shows, also after its access token was invalidated', async () => {
    await consumer.requestConsent(window, 'Ada Lovelace (Team Notes)');
    const self = (): Promise<string> => consumer.callNotion(notion.mcpUrl, 'notion-fetch', { id: 'self' });
    assert.match(await self(), /Team Notes/);
    await notion.expireAccessTokens();
    const renewals = notion.requests({ path: '/token' }).length;
    assert.match(await self(), /Team Notes/);
    assert.equal(notion.requests({ path: '/token' }).length, renewals + 1);
  });

  test('Test Connection shows the result of each step', async () => {
    await window.runCommand('Notion MCP: Test Connection');
    await window.notifications.waitFor('is connected and has');
    await window.notifications.click('is connected and has', 'Show Details');
    await window.page.getByText('✓ Account identified').waitFor();
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
      paths.filter((path) => !path.startsWith('extensions/')),
      [],
    );
  });
});
