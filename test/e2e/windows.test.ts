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
import { fetchSelf } from './mcp.ts';
import { signIn } from './signIn.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const grace = 'Grace Hopper (Team Notes)';

/** Two tabs of one browser profile: two extension hosts on one disk, each with its own cache of all secrets. */
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
    const firstConsumer = await Consumer.waitFor(directory);
    // The first window that uses the extension creates the journal key. Windows from before that would need a reload.
    await firstConsumer.accounts();
    const second = await editor.openWindow();
    windows = [first, second];
    consumers = [firstConsumer, await Consumer.waitFor(directory, [firstConsumer])];
  });

  after(async () => {
    await editor?.stop();
    await notion?.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function getAccessToken(window: EditorWindow, consumer: Consumer): Promise<string> {
    const pendingSession = consumer.requestSession({ scopes: ['default'], options: { createIfNone: true } });
    await window.page.bringToFront();
    await window.dialog.click('Allow');
    await window.quickInput.choose(ada);
    return sessionIn(await pendingSession)?.accessToken ?? '';
  }

  test('a sign-in in one window adds the account in the other', async () => {
    assert.deepEqual(await consumers[1].accounts(), []);
    const changesBefore = (await consumers[1].history()).sessionChanges;
    await windows[0].page.bringToFront();
    await signIn(windows[0], { user: 'Ada Lovelace', workspace: 'Engineering Wiki' });
    await consumers[1].waitForSessionChangesBeyond(changesBefore);
    assert.deepEqual(await consumers[1].accounts(), [ada]);
  });

  test('a renewal in one window gives the other a working new token and fires one session change there', async () => {
    const old = await getAccessToken(windows[1], consumers[1]);
    const changesBefore = (await consumers[1].history()).sessionChanges;
    await windows[0].page.bringToFront();
    await windows[0].runCommand('Notion MCP: Refresh Session');
    await windows[0].notifications.waitFor(`Refreshed ${ada}`);
    await consumers[1].waitForSessionChangesBeyond(changesBefore);
    const session = await consumers[1].silentSession();
    assert.notEqual(session?.accessToken, old);
    assert.equal((await fetchSelf(notion.mcpUrl, session?.accessToken ?? '')).user.name, 'Ada Lovelace');
    assert.equal((await consumers[1].history()).sessionChanges, changesBefore + 1);
  });

  test('both accounts are kept when one window signs in, the other renews another account, and both reload', async () => {
    await windows[0].page.bringToFront();
    await signIn(windows[0], { user: 'Grace Hopper', workspace: 'Team Notes' });
    await windows[1].page.bringToFront();
    await windows[1].runCommand('Notion MCP: Refresh Session');
    await windows[1].quickInput.choose(ada);
    await windows[1].notifications.waitFor(`Refreshed ${ada}`);
    await windows[1].reload();
    const secondConsumer = await Consumer.waitFor(directory, consumers);
    await windows[0].page.bringToFront();
    await windows[0].reload();
    const firstConsumer = await Consumer.waitFor(directory, [...consumers, secondConsumer]);
    consumers = [firstConsumer, secondConsumer];
    for (const consumer of consumers) {
      assert.deepEqual(await consumer.accounts(), [ada, grace]);
    }
  });

  test('ten simultaneous session requests with an expired token cause one refresh, and all get its token', async () => {
    // Consent that the user gave in one window applies in both.
    for (const consumer of consumers) {
      assert.equal((await consumer.silentSession())?.account.label, ada);
    }
    await windows[0].page.bringToFront();
    // Short enough to have expired when a window renews it.
    notion.accessTokenLifeSeconds = 1;
    await windows[0].runCommand('Notion MCP: Refresh Session');
    await windows[0].quickInput.choose(ada);
    await windows[0].notifications.waitFor(`Refreshed ${ada}`);
    const refreshes = () => notion.requests({ path: '/token', grantType: 'refresh_token' }).length;
    const before = refreshes();
    const hold = notion.hold({ path: '/token', grantType: 'refresh_token' });
    notion.accessTokenLifeSeconds = 3_600;
    await hold.held;
    const pendingSessions = consumers.flatMap((consumer) => Array.from({ length: 5 }, () => consumer.silentSession()));
    hold.release();
    const tokens = (await Promise.all(pendingSessions)).map((session) => session?.accessToken);
    assert.equal(tokens.length, 10);
    assert.equal(new Set(tokens).size, 1);
    assert.equal((await fetchSelf(notion.mcpUrl, tokens[0] ?? '')).user.name, 'Ada Lovelace');
    assert.equal(refreshes(), before + 1);
  });

  test('two windows sign in at the same time, and each receives its own callback', async () => {
    // Not the URI handler: this editor numbers callbacks per window, so those of two windows could be equal.
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

  test('a sign-out in one window removes the account in the other', async () => {
    const changesBefore = (await consumers[0].history()).sessionChanges;
    await windows[1].page.bringToFront();
    await windows[1].runCommand('Notion MCP: Sign Out');
    await windows[1].quickInput.choose(ada);
    await windows[1].dialog.click('Sign Out');
    await consumers[0].waitForSessionChangesBeyond(changesBefore);
    assert.deepEqual(await consumers[0].accounts(), [
      'Ada Lovelace (Team Notes)',
      'Grace Hopper (Engineering Wiki)',
      grace,
    ]);
  });
});
