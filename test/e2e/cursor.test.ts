import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitInFolder } from './driver/waitInFolder.ts';
import { signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const theirs = '{ "mcpServers": { "theirs": { "command": "npx", "args": ["theirs"] } } }\n';

describe('connecting an editor that has Cursor’s API', { timeout: 300_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  const calls = join(home, 'calls');
  const configuration = join(home, '.cursor', 'mcp.json');
  mkdirSync(join(home, '.cursor'));
  writeFileSync(configuration, theirs);
  writeFileSync(calls, '');
  const preload = fileURLToPath(new URL('driver/cursorApi.cjs', import.meta.url));
  const { window } = await useTestbed({
    environment: { HOME: home, PATH: '/usr/bin:/bin', CURSOR_CALLS: calls },
    nodeArguments: [`--require=${preload}`],
    cleanup: async () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }),
  });
  const called = (count: number) =>
    waitInFolder(home, async () => {
      const lines = readFileSync(calls, 'utf8').trim().split('\n').filter(Boolean);
      return lines.length >= count ? lines.map((line) => JSON.parse(line)) : undefined;
    });
  const handle = 'notion-engineering-wiki';
  const name = 'notion-engineering';

  test('the server is registered with the editor, after a preview of what it is given, and needs no restart', async () => {
    await signIn(window);
    await window.runCommand('Notion MCP: Connect an Agent');
    await window.quickInput.waitFor('Cursor');
    await window.quickInput.accept();
    await window.quickInput.waitFor('Connect');
    await window.page.locator('.monaco-diff-editor').getByText('notion-mcp-bridge').first().waitFor();
    await window.screenshot('65-preview-in-cursor');
    assert.deepEqual(await called(0), []);
    await window.quickInput.choose('Connect');
    const { message } = await window.notifications.take('Cursor can use Notion');
    assert.match(message, /^Cursor can use Notion: \d+ tools of Engineering Wiki\.$/);
    const [[kind, config]] = (await called(1)) ?? assert.fail();
    assert.equal(kind, 'register');
    assert.equal(config.name, name);
    assert.deepEqual(config.server.args, ['--account', handle, '--agent', 'cursor']);
    assert.equal(readFileSync(configuration, 'utf8'), theirs);
  });

  test('the server is registered again when the window has been reloaded', async () => {
    const before = (await called(1)) ?? assert.fail();
    await window.reload();
    // The old window's extension host ends at its own pace.
    const since = ((await called(before.length + 2)) ?? assert.fail()).slice(before.length).sort();
    assert.deepEqual(since, [before[0], ['unregister', name]]);
  });

  test('Disconnect an Agent unregisters the server, and leaves the file as it is', async () => {
    const before = (await called(1)) ?? assert.fail();
    await window.runCommand('Notion MCP: Disconnect an Agent');
    await window.quickInput.choose('Cursor');
    const { detail } = await window.dialog.waitFor('Disconnect Cursor from Engineering Wiki?');
    assert.match(detail, new RegExp(`^The server ${name} is removed from Cursor, and Cursor can no longer use`));
    await window.dialog.click('Disconnect');
    await window.notifications.take('Disconnected Cursor from Engineering Wiki.');
    assert.deepEqual(((await called(before.length + 1)) ?? assert.fail()).slice(before.length), [['unregister', name]]);
    assert.equal(readFileSync(configuration, 'utf8'), theirs);
  });
});
