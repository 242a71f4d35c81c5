import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { directoryVariable } from '../editor/consumer/protocol.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { allow } from './consentPage.ts';
import { Consumer, sessionIn } from './consumer.ts';
import { Editor } from './driver/editor.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { consumerVsix, extensionVsix } from './driver/vsix.ts';
import { askServer } from './mcp.ts';
import { signIn } from './signIn.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const grace = 'Grace Hopper (Team Notes)';

/** Two tabs of one profile: two extension hosts on one disk, each with its own memory of all secrets. */
describe('two windows of one editor', { timeout: 120_000 }, () => {
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
    const one = await Consumer.appears(directory);
    // The first window to use the extension makes the journal's key; a window that is older has to be reloaded.
    await one.accounts();
    const second = await editor.openWindow();
    windows = [first, second];
    consumers = [one, await Consumer.appears(directory, [one])];
  });

  after(async () => {
    await editor?.stop();
    await notion?.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function access(window: EditorWindow, consumer: Consumer): Promise<string> {
    const asking = consumer.ask({ scopes: ['default'], options: { createIfNone: true } });
    await window.page.bringToFront();
    await window.dialog.click('Allow');
    await window.quickInput.choose(ada);
    return sessionIn(await asking)?.accessToken ?? '';
  }

  test('a sign-in in one is there in the other', async () => {
    assert.deepEqual(await consumers[1].accounts(), []);
    const heard = (await consumers[1].history()).sessionChanges;
    await windows[0].page.bringToFront();
    await signIn(windows[0], { user: 'Ada Lovelace', workspace: 'Engineering Wiki' });
    await consumers[1].sessionChangesBeyond(heard);
    assert.deepEqual(await consumers[1].accounts(), [ada]);
  });

  test('a renewal in one gives the other the new token, announced once, and it works', async () => {
    const old = await access(windows[1], consumers[1]);
    const heard = (await consumers[1].history()).sessionChanges;
    await windows[0].page.bringToFront();
    await windows[0].runCommand('Notion MCP: Refresh Session');
    await windows[0].notifications.waitFor(`Refreshed ${ada}`);
    await consumers[1].sessionChangesBeyond(heard);
    const session = await consumers[1].silently();
    assert.notEqual(session?.accessToken, old);
    assert.equal((await askServer(notion.mcpUrl, session?.accessToken ?? '')).user.name, 'Ada Lovelace');
    assert.equal((await consumers[1].history()).sessionChanges, heard + 1);
  });

  test('one signs in, the other renews another account, both reload: both accounts are there', async () => {
    await windows[0].page.bringToFront();
    await signIn(windows[0], { user: 'Grace Hopper', workspace: 'Team Notes' });
    await windows[1].page.bringToFront();
    await windows[1].runCommand('Notion MCP: Refresh Session');
    await windows[1].quickInput.choose(ada);
    await windows[1].notifications.waitFor(`Refreshed ${ada}`);
    await windows[1].reload();
    const two = await Consumer.appears(directory, consumers);
    await windows[0].page.bringToFront();
    await windows[0].reload();
    const one = await Consumer.appears(directory, [...consumers, two]);
    consumers = [one, two];
    for (const consumer of consumers) {
      assert.deepEqual(await consumer.accounts(), [ada, grace]);
    }
  });

  test('ten consumers that ask at once when the token has expired cost one refresh, and all get its token', async () => {
    // What the person allowed in one window holds in both.
    for (const consumer of consumers) {
      assert.equal((await consumer.silently())?.account.label, ada);
    }
    await windows[0].page.bringToFront();
    // So short that it has expired by the time at which anybody renews it.
    notion.accessTokenLifeSeconds = 1;
    await windows[0].runCommand('Notion MCP: Refresh Session');
    await windows[0].quickInput.choose(ada);
    await windows[0].notifications.waitFor(`Refreshed ${ada}`);
    const refreshes = () => notion.requests({ path: '/token', grantType: 'refresh_token' }).length;
    const before = refreshes();
    const hold = notion.hold({ path: '/token', grantType: 'refresh_token' });
    notion.accessTokenLifeSeconds = 3_600;
    await hold.held;
    const asking = consumers.flatMap((consumer) => Array.from({ length: 5 }, () => consumer.silently()));
    hold.release();
    const tokens = (await Promise.all(asking)).map((session) => session?.accessToken);
    assert.equal(tokens.length, 10);
    assert.equal(new Set(tokens).size, 1);
    assert.equal((await askServer(notion.mcpUrl, tokens[0] ?? '')).user.name, 'Ada Lovelace');
    assert.equal(refreshes(), before + 1);
  });

  test('each signs in at the same time, and the answers do not mix', async () => {
    // This editor numbers its own addresses in each window from one on, so two windows' callbacks can be the same.
    await consumers[0].changeSetting('notionMcp.signInChannel', 'loopback');
    const tabs = [];
    for (const window of windows) {
      await window.page.bringToFront();
      await window.runCommand('Notion MCP: Sign In');
      await window.dialog.click('Continue');
      tabs.push(await window.nextTab());
    }
    const [first, second] = tabs;
    assert.ok(first && second);
    await allow(second, { user: 'Grace Hopper', workspace: 'Engineering Wiki' });
    await windows[1].notifications.waitFor('Connected as Grace Hopper in Engineering Wiki');
    await allow(first, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    await windows[0].notifications.waitFor('Connected as Ada Lovelace in Team Notes');
    await first.close();
    await second.close();
    const all = [ada, 'Ada Lovelace (Team Notes)', 'Grace Hopper (Engineering Wiki)', grace];
    assert.deepEqual(await consumers[0].accounts(), all);
  });

  test('a sign-out in one is a sign-out in the other', async () => {
    const heard = (await consumers[0].history()).sessionChanges;
    await windows[1].page.bringToFront();
    await windows[1].runCommand('Notion MCP: Sign Out');
    await windows[1].quickInput.choose(ada);
    await windows[1].dialog.click('Sign Out');
    await consumers[0].sessionChangesBeyond(heard);
    assert.deepEqual(await consumers[0].accounts(), [
      'Ada Lovelace (Team Notes)',
      'Grace Hopper (Engineering Wiki)',
      grace,
    ]);
  });
});
