import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fetchSelf } from './fetchSelf.ts';
import { allow, beginSignIn, signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const grace = 'Grace Hopper (Team Notes)';

/** Two tabs of one browser profile: two extension hosts on one disk, each with its own cache of all secrets. */
describe('two windows of one editor', { timeout: 240_000 }, async () => {
  const first = await useTestbed();
  // The first window that uses the extension creates the journal key. Windows from before that would need a reload.
  await first.consumer.accounts();
  const second = await first.openWindow();
  const both = [first, second];
  const { notion } = first;

  /** Sets the sign-in channel, and waits until each window knows it. */
  async function setChannel(channel: string): Promise<void> {
    for (const { consumer } of both) {
      await consumer.changeSetting('notionMcp.signInChannel', channel);
    }
  }

  test('a sign-in in one window adds the account in the other', async () => {
    assert.deepEqual(await second.consumer.accounts(), []);
    const changesBefore = (await second.consumer.history()).sessionChanges;
    await signIn(first.window);
    await second.consumer.waitForSessionChangesBeyond(changesBefore);
    assert.deepEqual(await second.consumer.accounts(), [ada]);
  });

  test('a renewal in one window gives the other a working new token and fires one session change there', async () => {
    const old = await second.consumer.requestConsent(second.window, ada);
    const changesBefore = (await second.consumer.history()).sessionChanges;
    await first.window.runCommand('Notion MCP: Refresh Session');
    await first.window.notifications.waitFor(`Refreshed ${ada}`);
    await second.consumer.waitForSessionChangesBeyond(changesBefore);
    const session = await second.consumer.silentSession();
    assert.notEqual(session?.accessToken, old.accessToken);
    assert.equal((await fetchSelf(notion, session)).user.name, 'Ada Lovelace');
    assert.equal((await second.consumer.history()).sessionChanges, changesBefore + 1);
  });

  test('both accounts are kept when one window signs in, the other renews another account, and both reload', async () => {
    const changesBefore = (await second.consumer.history()).sessionChanges;
    await signIn(first.window, { user: 'Grace Hopper', workspace: 'Team Notes' });
    await second.consumer.waitForSessionChangesBeyond(changesBefore);
    await second.window.runCommand('Notion MCP: Refresh Session');
    await second.window.quickInput.choose(ada);
    await second.window.notifications.waitFor(`Refreshed ${ada}`);
    await second.window.reload();
    await second.consumer.waitForRestart();
    await first.window.page.bringToFront();
    await first.window.reload();
    await first.consumer.waitForRestart();
    for (const { consumer } of both) {
      assert.deepEqual(await consumer.accounts(), [ada, grace]);
    }
  });

  test('ten simultaneous session requests with an expired token cause one refresh, and all get its token', async () => {
    // Consent that the user gave in one window applies in both.
    for (const { consumer } of both) {
      assert.equal((await consumer.silentSession())?.account.label, ada);
    }
    const changesBefore = (await second.consumer.history()).sessionChanges;
    // The shortest life that windows believe.
    notion.profile.accessTokenLifeSeconds = 60;
    await first.window.runCommand('Notion MCP: Refresh Session');
    await first.window.quickInput.choose(ada);
    await first.window.notifications.waitFor(`Refreshed ${ada}`);
    await second.consumer.waitForSessionChangesBeyond(changesBefore);
    const refreshes = () => notion.requests({ path: '/token', grantType: 'refresh_token' }).length;
    const before = refreshes();
    const hold = notion.hold({ path: '/token', grantType: 'refresh_token' });
    notion.profile.accessTokenLifeSeconds = 3_600;
    for (const { consumer } of both) {
      await consumer.advanceClock(2);
    }
    const pendingSessions = both.flatMap(({ consumer }) => Array.from({ length: 5 }, () => consumer.silentSession()));
    await hold.held;
    hold.release();
    const sessions = await Promise.all(pendingSessions);
    assert.equal(sessions.length, 10);
    assert.equal(new Set(sessions.map((session) => session?.accessToken)).size, 1);
    assert.equal((await fetchSelf(notion, sessions[0])).user.name, 'Ada Lovelace');
    assert.equal(refreshes(), before + 1);
  });

  test('two windows sign in at the same time, and each receives its own callback', async () => {
    // Not the URI handler: this editor numbers callbacks per window, so those of two windows could be equal.
    await setChannel('loopback');
    const firstTab = await beginSignIn(first.window);
    const secondTab = await beginSignIn(second.window);
    await allow(secondTab, { user: 'Grace Hopper', workspace: 'Engineering Wiki' });
    await second.window.notifications.waitFor('Signed in as Grace Hopper (Engineering Wiki)');
    await allow(firstTab, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    await first.window.notifications.waitFor('Signed in as Ada Lovelace (Team Notes)');
    await firstTab.close();
    await secondTab.close();
    const all = [ada, 'Ada Lovelace (Team Notes)', 'Grace Hopper (Engineering Wiki)', grace];
    assert.deepEqual(await first.consumer.accounts(), all);
  });

  test('a callback of a sign-in that waits in another window is reported as such, and both sign-ins keep waiting', async () => {
    await setChannel('uriHandler');
    const firstTab = await beginSignIn(first.window);
    // This editor numbers callbacks per window, and either window could take one whose number both wait for.
    const unused = await beginSignIn(second.window);
    await second.window.notifications.click('in your browser', 'Cancel');
    await unused.close();
    const secondTab = await beginSignIn(second.window);
    const state = new URL(firstTab.url()).searchParams.get('state') ?? '';
    const redirectUri = new URL(secondTab.url()).searchParams.get('redirect_uri') ?? '';
    await first.editor.openTab(`${redirectUri}&${new URLSearchParams({ code: 'code', state })}`);
    await second.window.page.bringToFront();
    const { buttons } = await second.window.notifications.take('belongs to a sign-in of another window');
    assert.deepEqual(buttons, ['Sign In', 'Show Log']);
    for (const { window } of both) {
      await window.page.bringToFront();
      await window.notifications.click('in your browser', 'Cancel');
    }
    await firstTab.close();
    await secondTab.close();
  });

  test('a sign-out in one window removes the account in the other', async () => {
    const changesBefore = (await first.consumer.history()).sessionChanges;
    await second.window.runCommand('Notion MCP: Sign Out');
    await second.window.quickInput.choose(ada);
    await second.window.dialog.click('Sign Out');
    await first.consumer.waitForSessionChangesBeyond(changesBefore);
    assert.deepEqual(await first.consumer.accounts(), [
      'Ada Lovelace (Team Notes)',
      'Grace Hopper (Engineering Wiki)',
      grace,
    ]);
  });
});
