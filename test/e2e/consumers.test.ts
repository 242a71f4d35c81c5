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

const label = 'Ada Lovelace (Engineering Wiki)';
const request = 'Sign in with Notion to use Session Consumer (1)';
const atStart = [
  { scopes: ['default'], options: { silent: true } },
  { scopes: ['default'] },
  { scopes: [], options: { silent: true } },
];

describe('another extension asks for a session', { timeout: 240_000 }, () => {
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
      settings: { 'notionMcp.serverUrl': notion.mcpUrl, 'sessionConsumer.askAtStart': atStart },
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

  /** What the person does once the editor wants to sign in. */
  async function signIn(): Promise<void> {
    await window.dialog.waitFor('Sign in at');
    await window.dialog.click('Continue');
    const tab = await window.nextTab();
    await allow(tab, { user: 'Ada Lovelace', workspace: 'Engineering Wiki' });
    await window.notifications.waitFor('Connected as');
    await window.notifications.dismiss('Connected as');
    await tab.close();
  }

  test('at a start without an account it hears that there is none, and only its passive request asks the person', async () => {
    const { startAnswers } = await consumer.history();
    assert.deepEqual(startAnswers, [{ session: null }, { session: null }, { session: null }]);
    assert.equal(await window.accounts.waitForBadge(), 'Sign in requested');
    assert.deepEqual(notion.requests(), []);
  });

  for (const scopes of [['default'], [], ['pages:write']]) {
    test(`with the scopes [${scopes}]: each way of asking is answered, and the badge clears`, async () => {
      assert.deepEqual(await consumer.ask({ scopes, options: { silent: true } }), { session: null });
      assert.deepEqual(await consumer.ask({ scopes }), { session: null });
      await window.accounts.waitForBadge();
      await window.accounts.click(request);
      await signIn();
      await window.accounts.waitForNoBadge();

      const silent = await consumer.silently(scopes);
      assert.equal(silent?.account.label, label);
      assert.equal((await askServer(notion.mcpUrl, silent?.accessToken ?? '')).workspace.name, 'Engineering Wiki');
      assert.deepEqual(sessionIn(await consumer.ask({ scopes })), silent);
      assert.deepEqual(sessionIn(await consumer.ask({ scopes, options: { createIfNone: true } })), silent);
      const account = silent?.account ?? { id: '', label: '' };
      assert.deepEqual(sessionIn(await consumer.ask({ scopes, options: { silent: true, account } })), silent);
      const stranger = { id: 'nobody:nowhere', label: 'Nobody (Nowhere)' };
      assert.deepEqual(await consumer.ask({ scopes, options: { silent: true, account: stranger } }), { session: null });

      const forced = consumer.ask({ scopes, options: { forceNewSession: true, account } });
      await window.dialog.click('Allow');
      await signIn();
      const renewed = sessionIn(await forced);
      assert.equal(renewed?.id, silent?.id);
      assert.notEqual(renewed?.accessToken, silent?.accessToken);
      assert.equal(await window.accounts.hasBadge(), false);
      assert.deepEqual(await consumer.accounts(), [label]);

      await window.runCommand('Notion MCP: Sign Out');
      await window.dialog.click('Sign Out');
      await window.notifications.waitFor('Signed out');
      await window.notifications.dismiss('Signed out');
      assert.deepEqual(await consumer.accounts(), []);
    });
  }

  test('createIfNone without an account leads to one', async () => {
    const asking = consumer.ask({ scopes: ['default'], options: { createIfNone: true } });
    await window.dialog.waitFor('wants to sign in using Notion');
    await window.dialog.click('Allow');
    await signIn();
    assert.equal(sessionIn(await asking)?.account.label, label);
  });

  test('a cold start of the editor gives the stored session at once, without a badge at any time', async () => {
    notion.log.clear();
    await editor.restartServer();
    await window.reload();
    consumer = await Consumer.appears(directory, [consumer]);
    const { startAnswers } = await consumer.history();
    assert.deepEqual(
      startAnswers.map((answer) => sessionIn(answer)?.account.label),
      [label, label, label],
    );
    assert.equal(await window.accounts.hasHadBadge(), false);
    assert.deepEqual(notion.requests(), []);
  });

  async function openExtension(): Promise<void> {
    await window.runCommand('Extensions: Show Installed Extensions');
    await window.extensions.open('Notion MCP Authentication');
  }

  /** Each way of asking, all at once: the editor waits five seconds for a provider before it gives up. */
  async function assertNobodyAnswers(): Promise<void> {
    const ways = [{ silent: true }, {}, { createIfNone: true }, { forceNewSession: true }];
    assert.deepEqual(
      await Promise.all(ways.map((options) => consumer.ask({ scopes: ['default'], options }))),
      ways.map(() => ({ error: "Timed out waiting for authentication provider 'notion-mcp' to register." })),
    );
    assert.equal(await window.accounts.hasHadBadge(), false);
    assert.equal(await window.dialog.isShown(), false);
  }

  test('with the extension disabled each way of asking is rejected, and nobody is disturbed', async () => {
    await openExtension();
    await window.extensions.disable();
    await window.reload();
    consumer = await Consumer.appears(directory, [consumer]);
    await assertNobodyAnswers();
  });

  test('without the extension it is the same', async () => {
    await openExtension();
    await window.extensions.uninstall();
    await assertNobodyAnswers();
  });
});
