import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { parse } from 'smol-toml';
import { uninstallExtension } from '../editor/host/codeServer.ts';
import { waitInFolder } from './driver/waitInFolder.ts';
import { finishSignIn, signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const connect = 'Notion MCP: Connect an Agent';
const disconnect = 'Notion MCP: Disconnect an Agent';
const codexBefore = '# mine\r\nmodel = "x"   # the good one\r\n';
const cursorBefore = `{
  "mcpServers": {
    "notion": { "url": "https://mcp.notion.com/mcp" } // by hand
  }
}
`;

/** The editor's server begins to delete uninstalled extensions ten seconds after its start. */
const cleanupLimitMs = 60_000;

interface ServerEntry {
  command: string;
  args: string[];
}

describe('connecting agents', { timeout: 300_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  const codex = join(home, '.codex', 'config.toml');
  const cursor = join(home, '.cursor', 'mcp.json');
  for (const [folder, path, text] of [
    ['.codex', codex, codexBefore],
    ['.cursor', cursor, cursorBefore],
  ] as const) {
    mkdirSync(join(home, folder));
    writeFileSync(path, text);
  }
  const { window, editor, notion, consumer } = await useTestbed({
    environment: { HOME: home, PATH: '/usr/bin:/bin' },
    cleanup: async () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }),
  });
  const codexServers = (): Record<string, ServerEntry> =>
    (parse(readFileSync(codex, 'utf8')).mcp_servers ?? {}) as unknown as Record<string, ServerEntry>;

  /** Waits for the line of the preview with this text, which the question that is shown must not cover. */
  async function assertIsBelowQuestion(text: string): Promise<void> {
    const added = window.page.locator('.monaco-diff-editor').getByText(text).first();
    await added.waitFor();
    const [line, question] = await Promise.all(
      [added, window.page.locator('.quick-input-widget')].map((element) => element.boundingBox()),
    );
    assert.ok(line && question && line.y >= question.y + question.height, JSON.stringify({ line, question }));
  }

  test('without an account, Connect an Agent offers a sign-in', async () => {
    await window.runCommand(connect);
    assert.deepEqual(await window.quickInput.items(), ['Codex', 'Cursor', 'Copy Configuration']);
    await window.quickInput.accept();
    await window.notifications.click('You are not signed in to Notion.', 'Sign In');
    await finishSignIn(window);
  });

  test('agents are connected after one preview of exactly what changes, and what was proved is said', async () => {
    await window.runCommand(connect);
    await window.quickInput.waitFor('Codex');
    await window.screenshot('60-connect-agents');
    await window.quickInput.accept();
    await window.quickInput.waitFor('Replace notion');
    await window.screenshot('61-replace-a-server-of-notion');
    await window.quickInput.choose('Replace notion');
    await window.quickInput.waitFor('Connect');
    assert.equal(await window.quickInput.title(), 'Connect Codex and Cursor to Engineering Wiki?');
    await assertIsBelowQuestion('notion-mcp-bridge');
    await window.screenshot('62-preview');
    assert.equal(readFileSync(codex, 'utf8'), codexBefore);
    await window.quickInput.choose('Connect');
    const { message } = await window.notifications.waitFor('can use Notion');
    await window.screenshot('63-connected');
    assert.match(
      message,
      /^Codex and Cursor can use Notion: \d+ tools of Engineering Wiki\. Restart Codex and Cursor to see them\.$/,
    );
    await window.notifications.dismiss('can use Notion');
    assert.equal(await window.page.locator('.monaco-diff-editor').count(), 0);
    assert.ok(readFileSync(codex, 'utf8').startsWith(codexBefore));
    assert.deepEqual(codexServers()['notion-engineering-wiki']?.args, [
      ...['--account', 'notion-engineering-wiki', '--agent', 'codex'],
    ]);
    const { mcpServers } = JSON.parse(readFileSync(cursor, 'utf8').replace('// by hand', ''));
    assert.deepEqual(Object.keys(mcpServers), ['notion-engineering-wiki']);
    // A launcher that carried a secret would be found by the search for leaks as well.
    assert.ok(!/(secret|token|Bearer|127\.0\.0)/i.test(readFileSync(codex, 'utf8')));
  });

  test('what was written calls Notion’s tools with nothing of the editor’s environment', async () => {
    assert.equal(await callSelf(codexServers()['notion-engineering-wiki'], home), 'Ada Lovelace');
    assert.deepEqual(notion.requests({ path: '/register' }).length, 1);
  });

  test('connecting again says the same and changes nothing', async () => {
    const before = readFileSync(codex, 'utf8');
    await window.runCommand(connect);
    await window.quickInput.toggle('Codex');
    await window.quickInput.accept();
    await window.quickInput.choose('Connect');
    await window.notifications.take('Codex can use Notion');
    assert.equal(readFileSync(codex, 'utf8'), before);
  });

  test('Disconnect an Agent restores the configuration, and the agent may no longer use the account', async () => {
    const entry = codexServers()['notion-engineering-wiki'];
    for (const agent of ['Codex', 'Cursor']) {
      await window.runCommand(disconnect);
      await window.quickInput.choose(agent);
      const { detail } = await window.dialog.waitFor(`Disconnect ${agent} from Engineering Wiki?`);
      assert.match(
        detail,
        /^The server notion-engineering-wiki is removed from .*, and \w+ can no longer use this account\.$/,
      );
      await window.dialog.click('Disconnect');
      await window.notifications.take(`Disconnected ${agent} from Engineering Wiki.`);
    }
    assert.equal(readFileSync(codex, 'utf8'), codexBefore);
    assert.equal(readFileSync(cursor, 'utf8'), cursorBefore);
    await assert.rejects(callSelf(entry, home), /asking|allow/i);
  });

  test('a read-only configuration is said, and is connected once it can be written', async () => {
    chmodSync(codex, 0o444);
    await window.runCommand(connect);
    await window.quickInput.toggle('Cursor');
    await window.quickInput.accept();
    await window.quickInput.choose('Connect');
    const { message, buttons } = await window.notifications.waitFor('is read-only');
    assert.match(message, /config\.toml is read-only, so Codex was not changed\. Make it writable and try again\.$/);
    assert.deepEqual(buttons, ['Try Again', 'Open File', 'Copy Configuration']);
    await window.screenshot('64-read-only');
    chmodSync(codex, 0o644);
    await window.notifications.click('is read-only', 'Try Again');
    await window.quickInput.choose('Connect');
    await window.notifications.take('Codex can use Notion');
  });

  test('Copy Configuration gives another agent what it needs, without a secret', async () => {
    await window.runCommand(connect);
    await window.quickInput.choose('Copy Configuration');
    const { buttons } = await window.notifications.waitFor('Configuration copied.');
    // Without a button the editor would show only the beginning of the sentence.
    assert.deepEqual(buttons, ['Show Details']);
    await window.notifications.click('Configuration copied.', 'Show Details');
    await window.page.locator('.editor-instance .view-lines').getByText('another-agent').waitFor();
    await consumer.command('workbench.action.closeActiveEditor');
    const { mcpServers } = JSON.parse(await window.clipboard());
    const { command, args } = mcpServers['notion-engineering-wiki'];
    assert.ok(existsSync(command));
    assert.deepEqual(args, ['--account', 'notion-engineering-wiki', '--agent', 'another-agent']);
  });

  test('an agent stays connected after a sign-out and a sign-in of the same workspace', async () => {
    const entry = codexServers()['notion-engineering-wiki'];
    await window.runCommand('Notion MCP: Sign Out');
    await window.dialog.click('Sign Out');
    await window.notifications.take('Signed out of');
    await assert.rejects(callSelf(entry, home), /Manage Accounts/);
    await signIn(window);
    assert.equal(await callSelf(entry, home), 'Ada Lovelace');
  });

  test('after an uninstallation, what agents start says how to remove the server', async () => {
    const { command, args } = codexServers()['notion-engineering-wiki'] ?? assert.fail();
    await uninstallExtension(editor.directory, 'seedling.notion-mcp-auth');
    await editor.restartServer();
    await window.reload();
    const said = await waitInFolder(
      editor.directory,
      async () => {
        const { status, stderr } = spawnSync(command, args, { env: { HOME: home }, timeout: 2_000, encoding: 'utf8' });
        return status === 1 ? stderr : undefined;
      },
      cleanupLimitMs,
    );
    assert.match(
      said ?? '',
      /extension was uninstalled\. Remove the server:\nCodex: codex mcp remove notion-engineering-wiki\n$/,
    );
  });
});

/** Calls the tool that tells the user, as an agent does. @returns the name @throws Error with the tool's error */
async function callSelf(entry: ServerEntry | undefined, home: string): Promise<string> {
  assert.ok(entry);
  const client = new Client({ name: 'an-agent', version: '1' });
  await client.connect(new StdioClientTransport({ ...entry, env: { HOME: home }, cwd: home }));
  try {
    const result = await client.callTool({ name: 'notion-fetch', arguments: { id: 'self' } });
    const [{ text = '' } = {}] = result.content as { text?: string }[];
    if (result.isError) {
      throw new Error(text);
    }
    return /Ada Lovelace/.exec(text)?.[0] ?? text;
  } finally {
    await client.close();
  }
}
