import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import { directoryVariable } from '../editor/consumer/protocol.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { allow } from './consentPage.ts';
import { Consumer } from './consumer.ts';
import { Editor } from './driver/editor.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { consumerVsix, extensionVsix } from './driver/vsix.ts';
import { finishSignIn } from './signIn.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const grace = 'Grace Hopper (Team Notes)';

describe('a person manages accounts', { timeout: 150_000 }, () => {
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

  test('with nobody signed in it offers to sign in', async () => {
    await window.runCommand('Notion MCP: Manage Accounts');
    assert.equal(await window.quickInput.prompt(), 'Nobody is signed in to Notion yet.');
    await window.screenshot('50-no-accounts');
    await window.quickInput.choose('Sign in to a workspace…');
    await finishSignIn(window, { user: 'Ada Lovelace', workspace: 'Engineering Wiki' });
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.choose('Sign in to a workspace…');
    await finishSignIn(window, { user: 'Grace Hopper', workspace: 'Team Notes' });
  });

  test('each account says how it stands and until when', async () => {
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.waitFor(ada);
    await window.screenshot('51-accounts');
    const details = await window.quickInput.details();
    assert.match(details[0] ?? '', /^Signed in, renews by itself; Notion asks again by \w+ \d+$/);
    await window.quickInput.choose(ada);
    await window.quickInput.waitFor('Refresh session');
    await window.screenshot('52-one-account');
    const items = await window.quickInput.items();
    for (const item of [
      'Reconnect',
      'Refresh session',
      'Test connection',
      'Open the workspace in the browser',
      'Sign out',
    ]) {
      assert.ok(
        items.some((each) => each.includes(item)),
        `${item} is in ${items.join()}`,
      );
    }
    await window.quickInput.choose('Refresh session');
    await window.notifications.waitFor(`Refreshed ${ada}`);
    await window.notifications.dismiss('Refreshed');
  });

  test('Notion ends a sign-in: one item in the status bar leads to Reconnect, and all is quiet again', async () => {
    await notion.revokeGrants({ user: 'user-grace' });
    await consumer.changeSetting('notionMcp.signInChannel', 'auto');
    await window.runCommand('Notion MCP: Refresh Session');
    await window.quickInput.choose(grace);
    await window.notifications.waitFor(`Notion ended the sign-in of ${grace}`);
    await window.notifications.dismiss('Notion ended');
    await window.screenshot('53-status-bar');
    await window.page.getByText('Notion: sign in again').click();
    await window.quickInput.waitFor(grace);
    assert.equal((await window.quickInput.details())[1], 'Needs sign-in: Notion ended the last one');
    await window.quickInput.choose(grace);
    await window.quickInput.choose('Reconnect');
    await window.dialog.click('Continue');
    const tab = await window.nextTab();
    // Another identity comes back: it stands beside, and is said to.
    await allow(tab, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    await window.notifications.waitFor(`so ${grace} still needs to sign in`);
    await tab.close();
    await window.notifications.click(`so ${grace} still needs to sign in`, 'Reconnect');
    await window.dialog.click('Continue');
    const again = await window.nextTab();
    await allow(again, { user: 'Grace Hopper', workspace: 'Team Notes' });
    await window.page.getByText('Notion: sign in again').waitFor({ state: 'detached' });
    await again.close();
    assert.deepEqual(await consumer.accounts(), [ada, 'Ada Lovelace (Team Notes)', grace]);
  });

  test('Copy Diagnostics says how all is, and nothing that is anybody’s', async () => {
    await window.runCommand('Notion MCP: Copy Diagnostics');
    await window.notifications.waitFor('Diagnostics copied');
    const text = await window.clipboard();
    assert.match(
      text,
      /A1: healthy.*\n.*\n.*\n {2}chain: server \d+ ms, discovery \d+ ms, token \d+ ms, initialize \d+ ms, tools \d+ ms, identity \d+ ms/,
    );
    assert.match(text, /A3: healthy/);
    assert.match(text, /clock skew -?[0-2] s/);
    const { users, workspaces } = notion.directory;
    const people = [...users, ...workspaces].flatMap(({ id, name }) => [id, name]);
    const forbidden = [...notion.issuedSecrets(), ...people, 'ada@', 'Ada', '127.0.0', homedir(), tmpdir(), directory];
    assert.deepEqual(
      forbidden.filter((each) => text.includes(each)),
      [],
    );
  });
});
