import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startPrivateServer } from './privateServer.ts';
import { signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const label = 'Ada Lovelace (Engineering Wiki)';

describe('the web worker extension host, without Node, disk and gateway', { timeout: 120_000 }, async () => {
  // A web page may send requests to any https address, but to http only on its own origin.
  const { testbedOptions } = await startPrivateServer({ after });
  const settings = { 'remote.extensionKind': { 'seedling.notion-mcp-auth': ['ui'] } };
  const { window } = await useTestbed({ ...testbedOptions, settings });

  test('in the web worker host a user signs in, and the account survives a reload', async () => {
    await signIn(window);
    await window.reload();
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.waitFor(label);
    await window.quickInput.cancel();
  });

  test('in the web worker host an account can be refreshed and signed out, and the diagnostics list what the host lacks', async () => {
    await window.runCommand('Notion MCP: Refresh Session');
    await window.notifications.take(`Refreshed ${label}`);
    await window.notifications.waitForFreeSlot();
    await window.runCommand('Notion MCP: Copy Diagnostics');
    await window.notifications.take('Diagnostics copied');
    assert.match(
      await window.clipboard(),
      /host webWorker.*\n(.*\n)*.*loopback impossible here.*\n(.*\n)*storage: secret storage, no journal/,
    );
    await window.runCommand('Notion MCP: Sign Out');
    await window.dialog.click('Sign Out');
    await window.notifications.waitFor(`Signed out of ${label}`);
  });
});
