import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { processEnd } from './driver/processEnd.ts';
import { fetchSelf } from './fetchSelf.ts';
import { allow, allowAndCopyAddress, beginSignIn, deny } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const label = 'Ada Lovelace (Engineering Wiki)';

describe('every sign-in channel', { timeout: 150_000 }, async () => {
  const { notion, window, consumer } = await useTestbed();

  async function begin(channel: string): Promise<Page> {
    await consumer.changeSetting('notionMcp.signInChannel', channel);
    return beginSignIn(window);
  }

  function redirectUriOf(tab: Page): URL {
    return new URL(new URL(tab.url()).searchParams.get('redirect_uri') ?? '');
  }

  async function expectConnected(): Promise<void> {
    await window.notifications.take('Signed in as Ada Lovelace');
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
    await allow(tab);
    await expectConnected();
    await tab.close();
  });

  test('a sign-in through loopback uses a random path, and its completion page’s address contains no code', async () => {
    const tab = await begin('loopback');
    const { hostname, pathname } = redirectUriOf(tab);
    assert.equal(hostname, '127.0.0.1');
    assert.ok(pathname.length > 16, pathname);
    await allow(tab);
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
    await window.notifications.take('You denied access in the browser');
    await tab.close();
    assert.deepEqual(await consumer.accounts(), [label]);
  });

  test('a sign-in by pasting the callback address connects the account', async () => {
    const tab = await begin('paste');
    const address = await allowAndCopyAddress(tab);
    await window.page.bringToFront();
    // A user who is stuck on Notion's own page may take that for the last one.
    await window.quickInput.type(`${notion.origin}/callback?code=abc&state=eyJzdGF0ZSI6ImFiYyJ9`);
    await window.quickInput.accept();
    await window.page.getByText('This is not the page on which the sign-in ends').waitFor();
    await window.screenshot('62-earlier-page');
    await window.quickInput.type(address);
    await window.quickInput.accept();
    await expectConnected();
    await tab.close();
  });

  test('an account still works after a repeated sign-in, a sign-in to another workspace, a cancelled sign-in and a crash during one', async () => {
    const { id } = await consumer.requestConsent(window, label);
    const expectWorks = async (): Promise<void> => {
      const session = await consumer.silentSession();
      assert.equal(session?.id, id);
      assert.equal((await fetchSelf(notion, session)).workspace.name, 'Engineering Wiki');
    };
    const again = await begin('auto');
    await allow(again);
    await expectConnected();
    await again.close();
    await expectWorks();
    const other = await begin('auto');
    await allow(other, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    await window.notifications.waitFor('Signed in as Ada Lovelace (Team Notes)');
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
    await allow(crashed);
    await hold.held;
    const { pid } = consumer;
    await window.reload();
    await processEnd(pid);
    hold.release();
    await crashed.close();
    await consumer.waitForRestart();
    await expectWorks();
  });
});
