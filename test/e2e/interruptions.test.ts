import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settledMinutes } from './consumer.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { allow, beginSignIn, signIn } from './signIn.ts';
import { startMcpServer } from './startMcpServer.ts';
import { type ConsumerWindow, useTestbed } from './testbed.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const grace = 'Grace Hopper (Team Notes)';
const accounts = [ada, grace];
const signedIn = `Signed in as ${ada}.`;
const wiki = 'notion-engineering-wiki';
/** Longer than an access token lives, and than the server's word on what it issued is doubted. */
const longMinutes = 60 + settledMinutes;
const rounds = 3;

describe('what a user is told without having asked', { timeout: 240_000 }, async () => {
  const testbed = await useTestbed();
  const { notion } = testbed;
  const windows: ConsumerWindow[] = [testbed];

  /** The notifications that a window has shown since it was opened, and that no test closed, in order of their text. */
  async function told({ page, notifications }: EditorWindow): Promise<string[]> {
    await page.bringToFront();
    return (await notifications.listAll()).map(({ message }) => message).sort();
  }

  /** Whether a window waits for the user: with a question, a list or an item in the status bar. */
  async function waiting({ page, dialog, quickInput }: EditorWindow) {
    const items = await page.locator('.statusbar-item').filter({ hasText: 'Notion' }).allInnerTexts();
    return {
      isAsking: (await dialog.isShown()) || (await quickInput.isShown()),
      items: items.map((text) => text.trim()),
    };
  }

  /** Calls a tool as chat does, which the editor lets the user confirm. Resolves also if that fails. */
  async function callTool({ window, consumer }: ConsumerWindow): Promise<string> {
    await window.page.bringToFront();
    const name = (await consumer.toolNames()).find((each) => each.includes('notion-fetch')) ?? assert.fail();
    const result = consumer.callTool(name, { id: 'self' }).catch(String);
    await window.dialog.waitFor('Run notion-fetch');
    await window.dialog.click('Yes');
    return result;
  }

  /** What happens in some hours: tokens expire, extensions ask for sessions, and chat calls tools, in each window. */
  async function passHours(): Promise<string[]> {
    const results: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const each of windows) {
        await each.consumer.advanceClock(longMinutes);
      }
      for (const each of windows) {
        await each.consumer.silentSession().catch(() => undefined);
        results.push(await callTool(each));
      }
    }
    return results;
  }

  test('a first sign-in gives one note, and neither a question nor an item in the status bar', async () => {
    const tab = await beginSignIn(testbed.window);
    await allow(tab);
    await testbed.window.notifications.waitFor(signedIn);
    await testbed.window.notifications.waitForNone('Finishing the sign-in…');
    await tab.close();
    assert.deepEqual(await told(testbed.window), [signedIn]);
    assert.deepEqual(await waiting(testbed.window), { isAsking: false, items: [] });
  });

  test('renewals, calls in chat, a reload and a second window tell and ask nothing', async () => {
    await testbed.consumer.requestConsent(testbed.window, ada);
    await startMcpServer(testbed, wiki);
    for (const result of await passHours()) {
      assert.match(result, /Ada Lovelace/);
    }
    assert.deepEqual(await told(testbed.window), [signedIn]);
    await testbed.window.reload();
    await testbed.consumer.waitForRestart();
    await startMcpServer(testbed, wiki);
    const second = await testbed.openWindow();
    windows.push(second);
    await startMcpServer(second, wiki);
    for (const result of await passHours()) {
      assert.match(result, /Ada Lovelace/);
    }
    assert.ok(notion.requests({ path: '/token', grantType: 'refresh_token' }).length >= 2 * rounds);
    for (const { window } of windows) {
      assert.deepEqual(await told(window), []);
      assert.deepEqual(await waiting(window), { isAsking: false, items: [] });
    }
  });

  test('while the server is down, nothing is told that was not asked for', async () => {
    notion.fault({}, { kind: 'respond', status: 503, body: '<html>Down</html>' });
    for (const result of await passHours()) {
      assert.doesNotMatch(result, /Ada Lovelace/);
    }
    for (const { window } of windows) {
      assert.deepEqual(await told(window), []);
      assert.deepEqual(await waiting(window), { isAsking: false, items: [] });
    }
  });

  test('a server that keeps refusing gives one warning for each account, and one item in the status bar for all', async () => {
    await signIn(testbed.window, { user: 'Grace Hopper', workspace: 'Team Notes' });
    const headers = { 'content-type': 'application/json' };
    notion.fault(
      { path: '/token', grantType: 'refresh_token' },
      { kind: 'respond', status: 400, body: '{"error":"invalid_scope"}', headers },
    );
    notion.log.clear();
    await passHours();
    assert.ok(
      notion.requests({ path: '/token', grantType: 'refresh_token' }).length > accounts.length,
      'it is refused again',
    );
    await assertToldOnce([/^[\d.:]+ refuses to renew the sign-in of /]);
  });

  test('sign-ins that Notion ended give one more warning for each account, and still one item', async () => {
    await notion.revokeGrants();
    await passHours();
    await assertToldOnce([/^Notion ended the sign-in of /, /^[\d.:]+ refuses to renew the sign-in of /]);
  });

  test('a reload and a third window repeat none of it, and show the item', async () => {
    await testbed.window.reload();
    await testbed.consumer.waitForRestart();
    const { window } = await testbed.openWindow();
    for (const each of [testbed.window, window]) {
      await each.page.locator('.statusbar-item').filter({ hasText: 'Notion: sign in' }).waitFor();
      assert.deepEqual(await told(each), []);
      assert.deepEqual(await waiting(each), { isAsking: false, items: ['Notion: sign in'] });
    }
  });

  /** That all windows together have told each of these causes once for each account, and each shows one item. */
  async function assertToldOnce(causes: RegExp[]): Promise<void> {
    const all = (await Promise.all(windows.map(({ window }) => told(window)))).flat();
    for (const cause of causes) {
      for (const account of accounts) {
        const those = all.filter((message) => cause.test(message) && message.includes(account));
        assert.equal(those.length, 1, `${cause} of ${account}: ${all.join('\n')}`);
      }
    }
    assert.equal(all.length, accounts.length * causes.length, all.join('\n'));
    for (const { window } of windows) {
      assert.deepEqual(await waiting(window), { isAsking: false, items: ['Notion: sign in'] });
    }
  }
});
