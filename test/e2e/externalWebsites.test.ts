import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allow } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const label = 'Ada Lovelace (Engineering Wiki)';
const notOpened = 'The editor did not open the page';

describe('the editor asks before it opens external websites', { timeout: 120_000 }, async () => {
  const { editor, window, consumer } = await useTestbed({ asksBeforeOpening: true });

  /** Starts a sign-in, and waits for the editor's question. */
  async function begin(): Promise<void> {
    await window.runCommand('Notion MCP: Sign In');
    await window.dialog.waitFor('Sign in at');
    await window.dialog.click('Continue');
    await window.dialog.waitFor('open the external website');
  }

  test('Copy keeps the sign-in waiting, and the copied address completes it', async () => {
    await begin();
    await window.dialog.click('Copy');
    await window.notifications.waitFor(notOpened);
    await window.screenshot('16-copied');
    const tab = await editor.openTab(await window.clipboard());
    await allow(tab);
    await window.page.bringToFront();
    await window.notifications.take(`Signed in as ${label}.`);
    await window.notifications.waitForNone(notOpened);
    assert.deepEqual(await consumer.accounts(), [label]);
    await tab.close();
  });

  test('after Cancel the page can be opened again, and the sign-in completes', async () => {
    await begin();
    await window.dialog.click('Cancel');
    await window.notifications.click(notOpened, 'Open it again');
    await window.dialog.waitFor('open the external website');
    await window.dialog.click('Open');
    const tab = await window.nextTab();
    await allow(tab, { user: 'Grace Hopper', workspace: 'Team Notes' });
    await window.page.bringToFront();
    await window.notifications.take('Signed in as Grace Hopper (Team Notes).');
    await tab.close();
  });

  test('Cancel in the notification ends a sign-in whose page was not opened, without another message', async () => {
    await begin();
    await window.dialog.click('Cancel');
    await window.notifications.click(notOpened, 'Cancel');
    await window.notifications.waitForNone(notOpened);
    assert.deepEqual(await window.notifications.list(), []);
  });
});
