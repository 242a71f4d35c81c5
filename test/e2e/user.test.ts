import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sessionIn } from './consumer.ts';
import { fetchSelf } from './fetchSelf.ts';
import { allow, beginSignIn, deny, signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const adaNotes = 'Ada Lovelace (Team Notes)';

describe('a user signs in to Notion from the editor', { timeout: 240_000 }, async () => {
  const { notion, editor, window, consumer } = await useTestbed();

  test('a passive session request shows a badge on the Accounts menu, and its entry starts a sign-in in the browser', async () => {
    assert.deepEqual(await consumer.requestSession({ scopes: ['default'] }), { session: null });
    assert.equal(await window.accounts.waitForBadge(), 'Sign in requested');
    const signInEntry = 'Sign in with Notion to use Session Consumer (1)';
    assert.ok((await window.accounts.open()).includes(signInEntry));
    await window.screenshot('01-accounts-badge');
    await window.accounts.click(signInEntry);
    const question = await window.dialog.waitFor('Sign in at');
    assert.match(question.detail, /not Notion’s own server/);
    await window.screenshot('02-hosts-question');
    await window.dialog.click('Continue');
    const tab = await window.nextTab();
    await tab.screenshot({ path: 'artefacts/e2e/03-consent.png' });
    await window.screenshot('04-waiting');
    await allow(tab);
    await tab.getByText(/close this (tab|page|window)/i).waitFor();
    await tab.screenshot({ path: 'artefacts/e2e/05-can-be-closed.png' });
    await tab.close();
    const note = await window.notifications.waitFor('Signed in as Ada Lovelace (Engineering Wiki).');
    assert.deepEqual(note.buttons, ['Open Chat']);
    await window.screenshot('06-signed-in');
    await window.notifications.click('Signed in as', 'Open Chat');
    await window.page.locator('.interactive-session').first().waitFor();
    await window.screenshot('06-chat');
    await window.accounts.waitForNoBadge();
    const entries = await window.accounts.open();
    assert.ok(
      entries.some((entry) => entry.startsWith(ada)),
      entries.join(),
    );
    await window.screenshot('07-account');
    await window.accounts.close();
  });

  test('a sign-in to a second workspace adds an account and keeps the first', async () => {
    await signIn(window, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    assert.deepEqual(await consumer.accounts(), [ada, adaNotes]);
    await window.accounts.open();
    await window.screenshot('08-two-accounts');
    await window.accounts.close();
  });

  test('another extension gets a working token after the user consents and chooses an account', async () => {
    const pendingSession = consumer.requestSession({
      scopes: ['default'],
      options: { createIfNone: true, clearSessionPreference: true },
    });
    await window.dialog.waitFor('wants to sign in using Notion');
    await window.screenshot('09-consent');
    await window.dialog.click('Allow');
    await window.quickInput.waitFor(ada);
    await window.screenshot('10-choose-account');
    await window.quickInput.choose(ada);
    const session = sessionIn(await pendingSession);
    assert.equal(session?.account.label, ada);
    assert.deepEqual(session?.scopes, ['default']);
    assert.equal((await fetchSelf(notion, session)).workspace.name, 'Engineering Wiki');
  });

  test('Refresh Session replaces the token and fires one session change', async () => {
    const before = await consumer.silentSession();
    const { sessionChanges } = await consumer.history();
    await window.runCommand('Notion MCP: Refresh Session');
    await window.quickInput.choose(ada);
    await window.notifications.waitFor(`Refreshed ${ada}`);
    await window.screenshot('11-refreshed');
    const after = await consumer.silentSession();
    assert.equal(after?.id, before?.id);
    assert.notEqual(after?.accessToken, before?.accessToken);
    assert.equal((await consumer.history()).sessionChanges, sessionChanges + 1);
    assert.equal((await fetchSelf(notion, after)).user.name, 'Ada Lovelace');
  });

  test('a reload of the window neither prompts the user nor sends a request to the server', async () => {
    notion.log.clear();
    await window.reload();
    await consumer.waitForRestart();
    assert.equal((await consumer.silentSession())?.account.label, ada);
    assert.equal(await window.accounts.hasBadge(), false);
    assert.deepEqual(await consumer.accounts(), [ada, adaNotes]);
    assert.deepEqual(notion.requests(), []);
  });

  test('Sign Out removes the account from the Accounts menu and revokes its grant at the authorization server', async () => {
    const session = await consumer.silentSession();
    await window.accounts.click(`${ada} (Notion)`, 'Sign Out');
    await window.dialog.waitFor(ada);
    await window.screenshot('12-sign-out');
    await window.dialog.click('Sign Out');
    await notion.waitForRequest({ path: '/token', method: 'POST', status: 200 });
    await assert.rejects(fetchSelf(notion, session));
    assert.deepEqual(await consumer.accounts(), [adaNotes]);
  });

  test('a sign-in that the user denies is reported, and the accounts stay as they are', async () => {
    const tab = await beginSignIn(window);
    await deny(tab);
    const { message, buttons } = await window.notifications.waitFor('You denied access');
    assert.match(message, /Nothing changed/);
    assert.deepEqual(buttons, ['Try Again']);
    await window.screenshot('13-denied');
    await window.notifications.dismiss('You denied access');
    await tab.close();
    assert.deepEqual(await consumer.accounts(), [adaNotes]);
  });

  test('no secret of a sign-in, renewal or sign-out is in a log or in any other file of the editor', async () => {
    assert.notDeepEqual(await editor.filesContaining(['Signed in.']), [], 'the log is found');
    assert.deepEqual(await editor.filesContaining(notion.issuedSecrets()), []);
  });
});
