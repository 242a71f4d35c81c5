import assert from 'node:assert/strict';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { Authority } from '../unit/http/authority.ts';
import { allow } from './consentPage.ts';
import { Editor } from './driver/editor.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { extensionVsix } from './driver/vsix.ts';

const name = 'notion.test';
const label = 'Ada Lovelace (Engineering Wiki)';

describe('in the web worker host, without Node, disk and gateway', { timeout: 120_000 }, () => {
  const ends: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => ends.push(end) };
  let notion: NotionServer;
  let editor: Editor;
  let window: EditorWindow;

  before(async () => {
    // A page may ask https everywhere, and http on its own address only.
    const authority = await Authority.create(scope);
    notion = await startNotionServer({ version: 'today', tls: { name, ...(await authority.issue(`DNS:${name}`)) } });
    editor = await Editor.start({
      extensions: [extensionVsix],
      trustedOrigins: [`https://${name}:*`],
      browserArguments: [`--host-resolver-rules=MAP ${name} ${notion.address.host}`, '--ignore-certificate-errors'],
      settings: {
        'notionMcp.serverUrl': notion.mcpUrl,
        'remote.extensionKind': { 'seedling.notion-mcp-auth': ['ui'] },
      },
    });
    window = await editor.openWindow();
  });

  after(async () => {
    await editor?.stop();
    await notion?.close();
    await Promise.all(ends.map((end) => end()));
  });

  afterEach(async (context) => {
    const { passed, name } = context as TestContext & { passed: boolean };
    if (!passed) {
      console.log(window.consoleLines.slice(-30).join('\n'));
      await editor.keepEvidence(name);
    }
  });

  test('a person signs in, and the account outlives a reload', async () => {
    await window.runCommand('Notion MCP: Sign In');
    await window.dialog.click('Continue');
    const tab = await window.nextTab();
    await allow(tab, { user: 'Ada Lovelace', workspace: 'Engineering Wiki' });
    await window.notifications.waitFor('Connected as Ada Lovelace');
    await tab.close();
    await window.reload();
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.waitFor(label);
    await window.quickInput.cancel();
  });

  test('it renews, signs out, and says in its report what the host lacks', async () => {
    await window.runCommand('Notion MCP: Refresh Session');
    await window.notifications.waitFor(`Refreshed ${label}`);
    await window.notifications.dismiss('Refreshed');
    await window.notifications.waitForRoom();
    await window.runCommand('Notion MCP: Copy Diagnostics');
    await window.notifications.waitFor('Diagnostics copied');
    await window.notifications.dismiss('Diagnostics copied');
    assert.match(await window.clipboard(), /host webWorker.*\n(.*\n)*.*loopback no.*\n(.*\n)*storage: journal no/);
    await window.runCommand('Notion MCP: Sign Out');
    await window.dialog.click('Sign Out');
    await window.notifications.waitFor(`Signed out of ${label}`);
  });
});
