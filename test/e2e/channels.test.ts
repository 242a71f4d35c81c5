import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { directoryVariable } from '../editor/consumer/protocol.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { allow, deny } from './consentPage.ts';
import { Consumer, sessionIn } from './consumer.ts';
import { Editor } from './driver/editor.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { consumerVsix, extensionVsix } from './driver/vsix.ts';
import { fetchSelf } from './mcp.ts';

const ada = { user: 'Ada Lovelace', workspace: 'Engineering Wiki' };
const label = 'Ada Lovelace (Engineering Wiki)';

describe('every sign-in channel', { timeout: 150_000 }, () => {
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
    consumer = await Consumer.waitFor(directory);
  });

  after(async () => {
    await editor?.stop();
    await notion?.close();
    await rm(directory, { recursive: true, force: true });
  });

  afterEach(async (context) => {
    const { passed, name } = context as TestContext & { passed: boolean };
    if (!passed) {
      await editor.saveScreenshots(name);
    }
  });

  async function begin(channel: string): Promise<Page> {
    await consumer.changeSetting('notionMcp.signInChannel', channel);
    await window.page.bringToFront();
    await window.runCommand('Notion MCP: Sign In');
    await window.dialog.click('Continue');
    return window.nextTab();
  }

  function redirectUriOf(tab: Page): URL {
    return new URL(new URL(tab.url()).searchParams.get('redirect_uri') ?? '');
  }

  async function expectConnected(): Promise<void> {
    await window.notifications.waitFor('Connected as Ada Lovelace');
    await window.notifications.dismiss('Connected as Ada Lovelace');
    assert.deepEqual(await consumer.accounts(), [label]);
  }

  /** Takes screenshots of the completion page in the light and dark theme. */
  async function takeScreenshots(tab: Page, name: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await tab.emulateMedia({ colorScheme });
      await tab.screenshot({ path: `artefacts/e2e/${name}-${colorScheme}.png` });
    }
  }

  test('a sign-in through the URI handler connects the account', async () => {
    const tab = await begin('uriHandler');
    await allow(tab, ada);
    await expectConnected();
    await tab.close();
  });

  test('a sign-in through loopback uses a random path, and its completion page’s address contains no code', async () => {
    const tab = await begin('loopback');
    const { hostname, pathname } = redirectUriOf(tab);
    assert.equal(hostname, '127.0.0.1');
    assert.ok(pathname.length > 16, pathname);
    await allow(tab, ada);
    await tab.getByText('Access allowed').waitFor();
    assert.ok(!tab.url().includes('code='), tab.url());
    await takeScreenshots(tab, '60-completion-page');
    await expectConnected();
    await tab.close();
  });

  test('a sign-in through loopback that the user denies is reported on the completion page and in the editor', async () => {
    const tab = await begin('loopback');
    await deny(tab);
    await tab.getByText('Access was not allowed').waitFor();
    await takeScreenshots(tab, '61-completion-page-denied');
    await window.notifications.waitFor('You denied access in the browser');
    await window.notifications.dismiss('You denied access in the browser');
    await tab.close();
    assert.deepEqual(await consumer.accounts(), [label]);
  });

  test('a sign-in by pasting the callback address connects the account', async () => {
    const tab = await begin('paste');
    const ended = tab.waitForEvent('requestfailed');
    await allow(tab, ada);
    const address = (await ended).url();
    await window.page.bringToFront();
    await window.quickInput.type(address);
    await window.quickInput.accept();
    await expectConnected();
    await tab.close();
  });

  test('an account still works after a repeated sign-in, a sign-in to another workspace, a cancelled sign-in and a crash during one', async () => {
    const pendingSession = consumer.requestSession({ scopes: ['default'], options: { createIfNone: true } });
    await window.page.bringToFront();
    await window.dialog.click('Allow');
    await window.quickInput.choose(label);
    const { id } = sessionIn(await pendingSession) ?? {};
    const expectWorks = async (): Promise<void> => {
      const session = await consumer.silentSession();
      assert.equal(session?.id, id);
      assert.equal((await fetchSelf(notion.mcpUrl, session?.accessToken ?? '')).workspace.name, 'Engineering Wiki');
    };
    const again = await begin('auto');
    await allow(again, ada);
    await expectConnected();
    await again.close();
    await expectWorks();
    const other = await begin('auto');
    await allow(other, { ...ada, workspace: 'Team Notes' });
    await window.notifications.waitFor('Connected as Ada Lovelace in Team Notes');
    await other.close();
    await expectWorks();
    const cancelled = await begin('auto');
    await window.page.bringToFront();
    await window.notifications.click('in your browser', 'Cancel');
    await cancelled.close();
    await expectWorks();
    // The extension host ends after Allow and before the tokens arrive.
    const crashed = await begin('auto');
    const hold = notion.hold({ path: '/token' });
    await allow(crashed, ada);
    await hold.held;
    await window.reload();
    hold.release();
    await crashed.close();
    consumer = await Consumer.waitFor(directory, [consumer]);
    await expectWorks();
  });
});
