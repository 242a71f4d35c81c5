import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allow, confirmServer, signIn } from './signIn.ts';
import { damageStoredGrants, forgetSecrets } from './storedSecrets.ts';
import { useTestbed } from './testbed.ts';

describe('stored sign-ins that cannot be used', { timeout: 120_000 }, async () => {
  const { editor, window, consumer, openWindow } = await useTestbed();
  await signIn(window);

  async function reload(): Promise<void> {
    await window.reload();
    await consumer.waitForRestart();
  }

  test('after the browser has lost the key, one warning says so, and its Sign In leads to an account', async () => {
    await forgetSecrets(window.page, editor);
    await reload();
    const { severity, buttons } = await window.notifications.waitFor('no longer has the key to your Notion sign-ins');
    assert.deepEqual({ severity, buttons }, { severity: 'warning', buttons: ['Sign In', 'Show Log'] });
    await window.screenshot('70-key-lost');
    await window.notifications.click('no longer has the key to your Notion sign-ins', 'Sign In');
    const tab = await confirmServer(window);
    await allow(tab);
    await window.notifications.take('Signed in as Ada Lovelace (Engineering Wiki');
    await tab.close();
    assert.equal((await consumer.accounts()).length, 1);
  });

  test('a window that does not know the key with which another one stored a sign-in asks to be reloaded, and then has the account', async () => {
    // So the other window makes a key of its own.
    await forgetSecrets(window.page, editor);
    const other = await openWindow();
    await other.window.runCommand('Notion MCP: Sign In');
    const tab = await confirmServer(other.window);
    await allow(tab, { user: 'Grace Hopper', workspace: 'Team Notes' });
    await other.window.notifications.waitFor('Signed in as Grace Hopper (Team Notes');
    await other.window.close();
    await window.runCommand('Notion MCP: Sign In');
    const { buttons } = await window.notifications.waitFor('Another window has signed in to Notion');
    assert.deepEqual(buttons, ['Reload Window']);
    await window.screenshot('71-stale-window');
    await window.notifications.click('Another window has signed in to Notion', 'Reload Window');
    await consumer.waitForRestart();
    assert.match((await consumer.accounts()).join(), /^Grace Hopper \(Team Notes/);
  });

  test('a stored sign-in that is damaged is set aside with one warning, and its Sign In leads to an account', async () => {
    await damageStoredGrants({ window, consumer, editor });
    const { severity, buttons } = await window.notifications.waitFor('could not be read and was set aside');
    assert.deepEqual({ severity, buttons }, { severity: 'warning', buttons: ['Sign In', 'Show Log'] });
    await window.screenshot('72-damaged');
    await window.notifications.click('could not be read and was set aside', 'Sign In');
    const tab = await confirmServer(window);
    await allow(tab, { user: 'Grace Hopper', workspace: 'Team Notes' });
    await window.notifications.take('Signed in as Grace Hopper (Team Notes');
    await tab.close();
  });
});
