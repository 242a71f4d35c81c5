import assert from 'node:assert/strict';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { Authority } from '../unit/http/authority.ts';
import { allow } from './consentPage.ts';
import { Editor } from './driver/editor.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { extensionVsix } from './driver/vsix.ts';

const hostname = 'notion.test';
const label = 'Ada Lovelace (Engineering Wiki)';

describe('the web worker extension host, without Node, disk and gateway', { timeout: 120_000 }, () => {
  const cleanups: (() => unknown)[] = [];
  const scope = { after: (cleanUp: () => unknown) => cleanups.push(cleanUp) };
  let notion: NotionServer;
  let editor: Editor;
  let window: EditorWindow;

  before(async () => {
    // A web page may send requests to any https address, but to http only on its own origin.
    const authority = await Authority.create(scope);
    notion = await startNotionServer({
      version: 'today',
      tls: { name: hostname, ...(await authority.issue(`DNS:${hostname}`)) },
    });
    editor = await Editor.start({
      extensions: [extensionVsix],
      trustedOrigins: [`https://${hostname}:*`],
      browserArguments: [`--host-resolver-rules=MAP ${hostname} ${notion.address.host}`, '--ignore-certificate-errors'],
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
    await Promise.all(cleanups.map((cleanUp) => cleanUp()));
  });

  afterEach(async (context) => {
    const { passed, name } = context as TestContext & { passed: boolean };
    if (!passed) {
      console.log(window.consoleLines.slice(-30).join('\n'));
      await editor.saveScreenshots(name);
    }
  });

  test('in the web worker host a user signs in, and the account survives a reload', async () => {
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

  test('in the web worker host an account can be refreshed and signed out, and the diagnostics list what the host lacks', async () => {
    await window.runCommand('Notion MCP: Refresh Session');
    await window.notifications.waitFor(`Refreshed ${label}`);
    await window.notifications.dismiss('Refreshed');
    await window.notifications.waitForFreeSlot();
    await window.runCommand('Notion MCP: Copy Diagnostics');
    await window.notifications.waitFor('Diagnostics copied');
    await window.notifications.dismiss('Diagnostics copied');
    assert.match(await window.clipboard(), /host webWorker.*\n(.*\n)*.*loopback no.*\n(.*\n)*storage: journal no/);
    await window.runCommand('Notion MCP: Sign Out');
    await window.dialog.click('Sign Out');
    await window.notifications.waitFor(`Signed out of ${label}`);
  });
});
