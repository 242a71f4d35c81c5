import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, describe, test } from 'node:test';
import { Editor } from './driver/editor.ts';
import { fixtureVsix } from './driver/vsix.ts';
import { reportFailure } from './testbed.ts';

const fixtureId = 'seedling-tests.driver-fixture';

describe('the driver for a real editor', { timeout: 120_000 }, async () => {
  const site = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end('<p id="consent">Allow?</p>');
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.2', resolve));
  after(() => site.close());
  const editor = await Editor.start({
    extensions: [fixtureVsix],
    settings: { 'workbench.colorTheme': 'Default Dark Modern' },
    environment: { FIXTURE_PAGE: `http://127.0.0.2:${(site.address() as AddressInfo).port}/` },
  });
  after(() => editor.stop());
  afterEach((context) => reportFailure(context, editor));
  const window = await editor.openWindow();

  test('the driver sees the badge, signs in from the Accounts menu and signs out there', async () => {
    await window.runCommand('Driver Fixture: Ask Passively');
    assert.equal(await window.accounts.waitForBadge(), 'Sign in requested');
    const signInEntry = 'Sign in with Fixture to use Driver Fixture (1)';
    assert.ok((await window.accounts.open()).includes(signInEntry));
    await window.screenshot('driver-accounts');
    await window.accounts.click(signInEntry);
    await window.accounts.waitForNoBadge();
    await window.accounts.waitUntil((entries) => entries.includes('Ada (Fixture)'));
    await window.accounts.click('Ada (Fixture)', 'Sign Out');
    const question = await window.dialog.waitFor('Ada');
    assert.deepEqual(question.buttons, ['Cancel', 'Sign Out']);
    await window.dialog.click('Sign Out');
    await window.accounts.waitUntil((entries) => !entries.some((entry) => entry.includes('Ada')));
  });

  test('the driver reads a notification and clicks its buttons and links', async () => {
    await window.runCommand('Driver Fixture: Note');
    await window.notifications.click('Working', 'Cancel');
    assert.deepEqual(await window.notifications.waitFor('did not work'), {
      severity: 'error',
      message: 'It did not work. Try another way',
      buttons: ['Again', 'Leave'],
    });
    await window.notifications.waitForNone('Working');
    await window.notifications.click('did not work', 'Try another way');
    await window.quickInput.cancel();
    await window.notifications.click('did not work', 'Leave');
    await editor.log(fixtureId).waitFor(/note "Leave"/);
    assert.deepEqual(await window.notifications.list(), []);
  });

  test('the driver chooses the quick pick entry whose label matches exactly', async () => {
    await window.runCommand('Driver Fixture: Pick');
    assert.equal(await window.quickInput.title(), 'Which one?');
    assert.deepEqual(await window.quickInput.items(), ['One', 'One more']);
    await window.quickInput.choose('One');
    await editor.log(fixtureId).waitFor(/pick "One"/);
  });

  test('the driver types into an input box and clicks a button of a dialog', async () => {
    await window.runCommand('Driver Fixture: Ask');
    assert.match(await window.quickInput.prompt(), /^Say it\./);
    await window.quickInput.type('hello');
    await window.quickInput.accept();
    assert.deepEqual(await window.dialog.waitFor('hello'), {
      message: 'Say hello?',
      detail: 'It will be heard.',
      buttons: ['Cancel', 'Say It'],
    });
    await window.dialog.click('Say It');
    await editor.log(fixtureId).waitFor(/ask "Say It"/);
  });

  test('the driver follows the editor to another tab and returns through its callback', async () => {
    await window.runCommand('Driver Fixture: Open Tab');
    const tab = await window.nextTab();
    await tab.locator('#consent').waitFor();
    const back = new URL(new URL(tab.url()).searchParams.get('back') ?? '');
    back.searchParams.set('code', 'a:b+c%/d');
    await tab.goto(back.href);
    const log = await editor.log(fixtureId).waitFor(/uri code=/);
    assert.equal(new URLSearchParams(/uri (\S+)/.exec(log)?.[1]).get('code'), 'a:b+c%/d');
    assert.equal(window.untakenTabs, 0);
  });

  test('the driver opens a second window with its own extension host, reloads it and closes it', async () => {
    const second = await editor.openWindow();
    await second.runCommand('Driver Fixture: Pick');
    await second.quickInput.choose('One more');
    await editor.log(fixtureId).waitFor(/pick "One more"/);
    await second.reload();
    assert.ok(await second.accounts.entries());
    await second.close();
    assert.ok(window.consoleLines.some((line) => line.includes('the fixture is active')));
  });
});
