import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sessionIn } from './consumer.ts';
import { fetchSelf } from './fetchSelf.ts';
import { confirmServer, deny, finishSignIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const label = 'Ada Lovelace (Engineering Wiki)';
const signInEntry = 'Sign in with Notion to use Session Consumer (1)';
const requestsAtStart = [
  { scopes: ['default'], options: { silent: true } },
  { scopes: ['default'] },
  { scopes: [], options: { silent: true } },
];

describe('another extension requests sessions', { timeout: 240_000 }, async () => {
  const settings = { 'sessionConsumer.askAtStart': requestsAtStart };
  const { notion, editor, window, consumer } = await useTestbed({ settings });

  test('an extension that starts without an account gets no session, and only its request without options shows a sign-in badge', async () => {
    const { startResults } = await consumer.history();
    assert.deepEqual(startResults, [{ session: null }, { session: null }, { session: null }]);
    assert.equal(await window.accounts.waitForBadge(), 'Sign in requested');
    assert.deepEqual(notion.requests(), []);
  });

  for (const scopes of [['default'], [], ['pages:write']]) {
    test(`every kind of session request with the scopes [${scopes}] returns the session after a sign-in, and the badge disappears`, async () => {
      assert.deepEqual(await consumer.requestSession({ scopes, options: { silent: true } }), { session: null });
      assert.deepEqual(await consumer.requestSession({ scopes }), { session: null });
      await window.accounts.waitForBadge();
      await window.accounts.click(signInEntry);
      await finishSignIn(window);
      await window.accounts.waitForNoBadge();

      const silent = await consumer.silentSession(scopes);
      assert.equal(silent?.account.label, label);
      assert.equal((await fetchSelf(notion, silent)).workspace.name, 'Engineering Wiki');
      assert.deepEqual(sessionIn(await consumer.requestSession({ scopes })), silent);
      assert.deepEqual(sessionIn(await consumer.requestSession({ scopes, options: { createIfNone: true } })), silent);
      const account = silent?.account ?? { id: '', label: '' };
      assert.deepEqual(
        sessionIn(await consumer.requestSession({ scopes, options: { silent: true, account } })),
        silent,
      );
      const unknown = { id: 'unknown:unknown', label: 'Unknown (Unknown)' };
      assert.deepEqual(await consumer.requestSession({ scopes, options: { silent: true, account: unknown } }), {
        session: null,
      });

      const forced = consumer.requestSession({ scopes, options: { forceNewSession: true, account } });
      await window.dialog.click('Allow');
      await finishSignIn(window);
      const renewed = sessionIn(await forced);
      assert.equal(renewed?.id, silent?.id);
      assert.notEqual(renewed?.accessToken, silent?.accessToken);
      assert.equal(await window.accounts.hasBadge(), false);
      assert.deepEqual(await consumer.accounts(), [label]);

      await window.runCommand('Notion MCP: Sign Out');
      await window.dialog.click('Sign Out');
      await window.notifications.take('Signed out');
      assert.deepEqual(await consumer.accounts(), []);
    });
  }

  test('createIfNone without an account starts a sign-in and returns its session', async () => {
    const pendingSession = consumer.requestSession({ scopes: ['default'], options: { createIfNone: true } });
    await window.dialog.waitFor('wants to sign in using Notion');
    await window.dialog.click('Allow');
    await finishSignIn(window);
    assert.equal(sessionIn(await pendingSession)?.account.label, label);
  });

  test('a sign-in that the user denies is told once, whether an extension requested it or the Accounts menu', async () => {
    const before = await consumer.accounts();
    const forced = consumer.requestSession({ scopes: ['default'], options: { forceNewSession: true } });
    await window.dialog.click('Allow');
    const tab = await confirmServer(window);
    await deny(tab);
    await window.notifications.waitFor('You denied access');
    assert.deepEqual(await forced, { error: 'Canceled' });
    await window.notifications.waitForNone('in your browser');
    await window.notifications.waitForFreeSlot();
    await assertToldOnce();
    await tab.close();
    assert.deepEqual(await consumer.requestSession({ scopes: ['denied'] }), { session: null });
    await window.accounts.click(signInEntry);
    const other = await confirmServer(window);
    await deny(other);
    await window.notifications.waitFor('You denied access');
    await window.notifications.waitForNone('in your browser');
    await window.notifications.waitForFreeSlot();
    await assertToldOnce();
    await other.close();
    assert.deepEqual(await consumer.accounts(), before);
  });

  test('after a cold start the editor returns the stored session at once and never shows a badge', async () => {
    notion.log.clear();
    await editor.restartServer();
    await window.reload();
    await consumer.waitForRestart();
    const { startResults } = await consumer.history();
    assert.deepEqual(
      startResults.map((result) => sessionIn(result)?.account.label),
      [label, label, label],
    );
    assert.equal(await window.accounts.hasHadBadge(), false);
    assert.deepEqual(notion.requests(), []);
  });

  /** That the denial is the only notification, also if the editor has hidden it meanwhile. Closes it. */
  async function assertToldOnce(): Promise<void> {
    await window.notifications.openAll();
    assert.equal((await window.notifications.list()).length, 1);
    await window.notifications.dismiss('You denied access');
    await window.notifications.closeAll();
  }

  async function openExtension(): Promise<void> {
    await window.runCommand('Extensions: Show Installed Extensions');
    await window.extensions.open('Notion MCP Authentication');
  }

  /** Sends every kind of request at once, because the editor waits five seconds for a provider before it gives up. */
  async function assertNoProvider(): Promise<void> {
    const requests = [{ silent: true }, {}, { createIfNone: true }, { forceNewSession: true }];
    assert.deepEqual(
      await Promise.all(requests.map((options) => consumer.requestSession({ scopes: ['default'], options }))),
      requests.map(() => ({ error: "Timed out waiting for authentication provider 'notion-mcp' to register." })),
    );
    assert.equal(await window.accounts.hasHadBadge(), false);
    assert.equal(await window.dialog.isShown(), false);
  }

  test('every session request is rejected while the extension is disabled, without a badge or dialog', async () => {
    await openExtension();
    await window.extensions.disable();
    await window.reload();
    await consumer.waitForRestart();
    await assertNoProvider();
  });

  test('every session request is rejected after the extension was uninstalled, without a badge or dialog', async () => {
    await openExtension();
    await window.extensions.uninstall();
    await assertNoProvider();
  });
});
