import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Consumer } from '../e2e/consumer.ts';
import { Editor } from '../e2e/driver/editor.ts';
import type { EditorWindow } from '../e2e/driver/editorWindow.ts';
import { consumerVsix, extensionVsix } from '../e2e/driver/vsix.ts';
import { signIn } from '../e2e/signIn.ts';
import { directoryVariable } from '../editor/consumer/protocol.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';

/** Another window takes over a lock after it has seen its counter unchanged for 130 seconds. */
const takeoverLimitMs = 170_000;

describe('two windows, one of which is killed during a renewal', { timeout: 300_000 }, () => {
  let notion: NotionServer;
  let editor: Editor;
  let directory: string;
  let windows: [EditorWindow, EditorWindow];
  let consumers: [Consumer, Consumer];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'consumers-'));
    notion = await startNotionServer({ version: 'today' });
    editor = await Editor.start({
      extensions: [extensionVsix, consumerVsix],
      settings: { 'notionMcp.serverUrl': notion.mcpUrl },
      environment: { [directoryVariable]: directory },
    });
    const first = await editor.openWindow();
    const firstConsumer = await Consumer.waitFor(directory);
    await signIn(first, { user: 'Ada Lovelace', workspace: 'Engineering Wiki' });
    const second = await editor.openWindow();
    windows = [first, second];
    consumers = [firstConsumer, await Consumer.waitFor(directory, [firstConsumer])];
  });

  after(async () => {
    await editor?.stop();
    await notion?.close();
    await rm(directory, { recursive: true, force: true });
  });

  test('after a window is killed during a renewal and its response is lost, the other window takes over the lock and renews', async () => {
    const [first, second] = windows;
    const hold = notion.hold({ path: '/token', grantType: 'refresh_token' });
    await first.page.bringToFront();
    await first.runCommand('Notion MCP: Refresh Session');
    await hold.held;
    await killProcess(consumers[0].pid);
    hold.release();
    assert.deepEqual(await consumers[1].accounts(), ['Ada Lovelace (Engineering Wiki)']);
    const changesBefore = (await consumers[1].history()).sessionChanges;
    await second.page.bringToFront();
    await second.runCommand('Notion MCP: Refresh Session');
    second.page.setDefaultTimeout(takeoverLimitMs);
    await second.notifications.waitFor('Refreshed Ada Lovelace (Engineering Wiki)');
    assert.equal((await consumers[1].history()).sessionChanges, changesBefore + 1);
    const refreshes = notion.requests({ path: '/token', grantType: 'refresh_token' });
    assert.deepEqual(
      refreshes.map(({ status }) => status),
      [200, 200],
    );
  });
});

/** Kills a process that is not a child of this one, and waits until it no longer exists. */
async function killProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  const isRunning = (): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  while (isRunning()) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
