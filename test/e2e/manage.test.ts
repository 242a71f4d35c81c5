import assert from 'node:assert/strict';
import { homedir, hostname, tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { settledMinutes } from './consumer.ts';
import { allow, confirmServer, finishSignIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const grace = 'Grace Hopper (Team Notes)';

describe('managing accounts', { timeout: 150_000 }, async () => {
  const { notion, editor, window, consumer } = await useTestbed();

  test('without an account Copy Diagnostics reports on the server, and its buttons show the copied text and the extension', async () => {
    await window.runCommand('Notion MCP: Copy Diagnostics');
    // The package names no address for issues.
    const { buttons } = await window.notifications.waitFor('Send them to the publisher of this extension.');
    assert.deepEqual(buttons, ['Show Extension', 'Show Details']);
    const text = await window.clipboard();
    assert.match(
      text,
      /checks without an account: server \d+ ms, discovery \d+ ms\n {2}discovery: MCP server 401 \d+ ms, oauth-protected/,
    );
    assert.match(text, /last sign-ins: none\n\naccounts: none\n$/);
    await window.notifications.click('Diagnostics copied', 'Show Details');
    await window.page.locator('.editor-instance .view-lines').getByText('accounts: none').waitFor();
    await consumer.command('workbench.action.closeActiveEditor');
    await window.runCommand('Notion MCP: Copy Diagnostics');
    await window.notifications.click('Diagnostics copied', 'Show Extension');
    await window.page.locator('.extension-editor').getByText('Notion MCP Authentication').first().waitFor();
    await consumer.command('workbench.action.closeActiveEditor');
  });

  test('without an account Manage Accounts offers a sign-in', async () => {
    await window.runCommand('Notion MCP: Manage Accounts');
    assert.equal(await window.quickInput.prompt(), 'You are not signed in to Notion yet.');
    await window.screenshot('50-no-accounts');
    await window.quickInput.choose('Sign in to a workspace…');
    await finishSignIn(window);
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.choose('Sign in to a workspace…');
    await finishSignIn(window, { user: 'Grace Hopper', workspace: 'Team Notes' });
  });

  test('Manage Accounts shows the state of each account and offers its actions', async () => {
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.waitFor(ada);
    await window.screenshot('51-accounts');
    const details = await window.quickInput.details();
    assert.match(details[0] ?? '', /^signed in, renews by itself$/);
    await window.quickInput.choose(ada);
    await window.quickInput.waitFor('Refresh session');
    await window.screenshot('52-one-account');
    const items = await window.quickInput.items();
    for (const item of [
      'Reconnect',
      'Refresh session',
      'Test connection',
      'Manage trusted extensions',
      'Open the workspace in the browser',
      'Sign out',
    ]) {
      assert.ok(
        items.some((each) => each.includes(item)),
        `${item} is in ${items.join()}`,
      );
    }
    await window.quickInput.choose('Refresh session');
    await window.notifications.take(`Refreshed ${ada}`);
  });

  test('Manage trusted extensions opens the editor’s list of the extensions that may use the account', async () => {
    await consumer.requestConsent(window, ada);
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.choose(ada);
    await window.quickInput.choose('Manage trusted extensions');
    await window.quickInput.waitFor('Session Consumer');
    assert.equal(await window.quickInput.title(), 'Manage Trusted Extensions');
    await window.screenshot('54-trusted-extensions');
    await window.quickInput.cancel();
  });

  test('Manage Accounts can be used with the keyboard alone', async () => {
    const { keyboard } = window.page;
    await keyboard.press('F1');
    // What is typed before the palette is open is lost.
    await window.quickInput.title();
    await keyboard.type('Notion MCP: Manage Accounts');
    await window.quickInput.waitForFocus('Notion MCP: Manage Accounts');
    await keyboard.press('Enter');
    await window.quickInput.waitForFocus(ada);
    await keyboard.press('ArrowDown');
    await window.quickInput.waitForFocus(grace);
    await keyboard.press('Enter');
    await window.quickInput.waitForFocus('Test connection');
    await keyboard.type('refresh');
    await window.quickInput.waitForFocus('Refresh session');
    for (const _ of 'refresh') {
      await keyboard.press('Backspace');
    }
    await window.quickInput.waitForFocus('Test connection');
    await keyboard.press('Enter');
    const { severity, buttons } = await window.notifications.take(`${grace} is connected and has`);
    assert.deepEqual({ severity, buttons }, { severity: 'info', buttons: ['Show Details'] });
  });

  test('Cancel closes the progress of a slow refresh at once, and the refresh continues in the background', async () => {
    const before = await consumer.silentSession();
    const hold = notion.hold({ path: '/token' });
    await window.runCommand('Notion MCP: Refresh Session');
    await window.quickInput.choose(ada);
    await hold.held;
    const { buttons } = await window.notifications.waitFor(`Refreshing ${ada}…`);
    assert.deepEqual(buttons, ['Cancel']);
    await window.screenshot('55-refreshing');
    await window.notifications.click(`Refreshing ${ada}…`, 'Cancel');
    await window.notifications.waitFor('in the background');
    await window.notifications.waitForNone(`Refreshing ${ada}…`);
    const { sessionChanges } = await consumer.history();
    hold.release();
    await consumer.waitForSessionChangesBeyond(sessionChanges);
    assert.notEqual((await consumer.silentSession())?.accessToken, before?.accessToken);
    await window.notifications.dismiss('in the background');
  });

  test('Cancel stops a slow connection test', async () => {
    const hold = notion.hold({ path: '/.well-known/oauth-protected-resource/mcp' });
    await window.runCommand('Notion MCP: Test Connection');
    await window.quickInput.choose(ada);
    await hold.held;
    await window.notifications.click(`Testing ${ada}…`, 'Cancel');
    await window.notifications.take(`The test of ${ada} was stopped.`);
    hold.release();
  });

  test('Test Connection reports a failure with a button to retry, and renews a token that the server no longer accepts', async () => {
    // Discovery needs only the metadata; the next request is a call.
    notion.fault({ path: '/mcp', times: 2 }, { kind: 'respond', status: 503, body: '' });
    await window.runCommand('Notion MCP: Test Connection');
    await window.quickInput.choose(ada);
    const shown = await window.notifications.waitFor(`${ada}: `);
    assert.match(shown.message, /is having problems \(status 503\)/);
    assert.deepEqual(shown.buttons, ['Try Again', 'Show Details']);
    await notion.expireAccessTokens();
    await window.notifications.click('is having problems', 'Try Again');
    await window.notifications.take('The server had ended the access early, so it was just renewed.');
    const log = await editor
      .log('seedling.notion-mcp-auth')
      .waitFor(/tested\. account=1 passed=3 failed=1 .*\n(?:.*\n)*.*tested\. account=1 passed=7 failed=0 /);
    const tests = [...log.matchAll(/\[test [0-9a-f]{4}\](?= The connection was tested\. account=1 )/g)];
    const [failed = [], passed = []] = tests
      .slice(-2)
      .map(([name]) => log.split('\n').filter((line) => line.includes(name)));
    assert.ok(failed.some((line) => /Check failed\. check=initialize ms=\d+ .* status=503$/.test(line)));
    const names = passed.flatMap((line) => /Check passed\. check=(\w+) ms=\d+$/.exec(line)?.[1] ?? []);
    assert.deepEqual(names, ['server', 'discovery', 'token', 'initialize', 'tools', 'identity', 'access']);
  });

  test('a rejected renewal that is not yet confirmed is shown as a separate state, and Reconnect resolves it', async () => {
    const headers = { 'content-type': 'application/json' };
    const rejection = { kind: 'respond', status: 400, body: '{"error":"invalid_grant"}', headers } as const;
    notion.fault({ path: '/token', grantType: 'refresh_token', times: 1 }, rejection);
    await window.runCommand('Notion MCP: Refresh Session');
    await window.quickInput.choose(ada);
    const { message, buttons } = await window.notifications.waitFor('refused to renew the sign-in');
    assert.ok(message.startsWith(`${ada}: `), message);
    assert.deepEqual(buttons, ['Reconnect', 'Show Log']);
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.waitFor(ada);
    assert.match((await window.quickInput.details())[0] ?? '', /^Notion refused to renew the sign-in; /);
    await window.screenshot('56-refused');
    await window.quickInput.cancel();
    await window.notifications.click('refused to renew the sign-in', 'Reconnect');
    await finishSignIn(window);
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.waitFor(ada);
    assert.match((await window.quickInput.details())[0] ?? '', /^signed in/);
    await window.quickInput.cancel();
  });

  test('a server that keeps refusing a renewal is named with its reason once, the account keeps working, and Reconnect resolves it', async () => {
    const headers = { 'content-type': 'application/json' };
    const refusal = { kind: 'respond', status: 400, body: '{"error":"invalid_scope"}', headers } as const;
    notion.fault({ path: '/token', grantType: 'refresh_token', times: 1 }, refusal);
    await window.runCommand('Notion MCP: Refresh Session');
    await window.quickInput.choose(ada);
    const { buttons } = await window.notifications.waitFor(`refuses to renew the sign-in of ${ada} (invalid_scope)`);
    assert.deepEqual(buttons, ['Reconnect', 'Manage Accounts']);
    await window.screenshot('57-server-rejected');
    // On a slow machine its progress would appear only now if the refresh were not over.
    await editor.log('seedling.notion-mcp-auth').waitFor(/The Refresh Session command failed\..* code=invalid_scope\b/);
    await window.notifications.waitForNone('Refreshing');
    assert.equal((await window.notifications.list()).length, 1);
    assert.deepEqual(await consumer.accounts(), [ada, grace]);
    await window.notifications.click('refuses to renew', 'Manage Accounts');
    await window.quickInput.waitFor(ada);
    assert.match((await window.quickInput.details())[0] ?? '', /renew the sign-in \(invalid_scope\)/);
    await window.quickInput.choose(ada);
    await window.quickInput.choose('Reconnect');
    await finishSignIn(window);
    await window.page.getByText('Notion: sign in').waitFor({ state: 'detached' });
  });

  test('Copy Diagnostics reports the state of every account without secrets or personal data', async () => {
    await window.runCommand('Notion MCP: Copy Diagnostics');
    await window.notifications.take('Diagnostics copied');
    const text = await window.clipboard();
    assert.match(
      text,
      /account 1: healthy.*\n.*\n.*\n {2}journal: lock free, records 1, .*\n {2}checks: server \d+ ms, discovery \d+ ms, token \d+ ms, initialize \d+ ms, tools \d+ ms, identity \d+ ms, access \d+ ms\n {2}tools: \d+\n/,
    );
    assert.match(text, /account 2: healthy/);
    assert.match(text, /sign-in [0-9a-f]{4}: .*; signed in as account 2 after \d+ s\n/);
    assert.match(text, /clock skew: -?[0-2] s/);
    const { users, workspaces } = notion.directory;
    const personalData = [
      ...[...users, ...workspaces].flatMap(({ id, name }) => [id, name]),
      ...users.flatMap(({ email = [] }) => email),
    ];
    const session = await consumer.silentSession();
    const { port } = new URL(notion.mcpUrl);
    const addressesAndPaths = ['127.0.0', port, homedir(), tmpdir(), editor.directory, hostname()];
    const ids = [session?.id ?? '', session?.account.id ?? ''];
    assert.ok(ids.every((id) => id !== ''));
    const forbidden = [...notion.issuedSecrets(), ...personalData, 'ada@', 'Ada', ...addressesAndPaths, ...ids];
    assert.deepEqual(
      forbidden.filter((each) => text.includes(each)),
      [],
    );
  });

  test('after Notion ended a sign-in, the status bar item leads to Reconnect and disappears once the account is reconnected', async () => {
    await consumer.advanceClock(settledMinutes);
    await notion.revokeGrants({ user: 'user-grace' });
    await consumer.changeSetting('notionMcp.signInChannel', 'auto');
    await window.runCommand('Notion MCP: Test Connection');
    await window.quickInput.choose(grace);
    await window.notifications.waitFor(`Notion ended the sign-in of ${grace}`);
    // On a slow machine its progress would appear only now if the test were not over.
    await editor.log('seedling.notion-mcp-auth').waitFor(/tested\. account=2 passed=\d failed=1 /);
    await window.notifications.waitForNone('Testing');
    await window.screenshot('53-status-bar');
    assert.equal((await window.notifications.list()).length, 1, 'the test reports the ended sign-in once');
    const item = window.page.getByRole('button', { name: `Notion ended the sign-in of ${grace}. Sign in again.` });
    await item.click();
    await window.quickInput.waitFor(grace);
    assert.ok((await window.quickInput.details()).includes('needs sign-in: Notion ended it'));
    await window.quickInput.choose(grace);
    await window.quickInput.choose('Reconnect');
    const tab = await confirmServer(window);
    await window.notifications.waitFor(`Choose ${grace} and allow access at`);
    // A sign-in as another identity adds a separate account, and a message says so.
    await allow(tab, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    const other = await window.notifications.waitFor(`not as ${grace}`);
    assert.deepEqual(other.buttons, ['Reconnect', 'Manage Accounts']);
    await tab.close();
    await window.notifications.click(`not as ${grace}`, 'Reconnect');
    const again = await confirmServer(window);
    await allow(again, { user: 'Grace Hopper', workspace: 'Team Notes' });
    await window.page.getByText('Notion: sign in').waitFor({ state: 'detached' });
    await again.close();
    assert.deepEqual(await consumer.accounts(), [ada, 'Ada Lovelace (Team Notes)', grace]);
    // The first notification is still there, though the editor may have hidden it.
    await window.notifications.openAll();
    await window.notifications.click(`Notion ended the sign-in of ${grace}`, 'Reconnect');
    await window.notifications.take(`${grace} is already signed in again`);
    await window.notifications.closeAll();
  });

  test('Enter keeps the account when the sign-out is to be confirmed', async () => {
    const accounts = await consumer.accounts();
    await window.runCommand('Notion MCP: Sign Out');
    await window.quickInput.choose(grace);
    const { buttons } = await window.dialog.waitFor(`Sign out of ${grace}?`);
    await window.screenshot('54-sign-out-question');
    assert.deepEqual(new Set(buttons), new Set(['Stay Signed In', 'Sign Out', 'Cancel']));
    await window.page.keyboard.press('Enter');
    await window.dialog.waitForNone();
    assert.deepEqual(await consumer.accounts(), accounts);
  });

  test('Sign Out warns when the server cannot be reached to revoke the grant', async () => {
    await notion.stopListening();
    await window.runCommand('Notion MCP: Sign Out');
    await window.quickInput.choose(grace);
    await window.dialog.click('Sign Out');
    const shown = await window.notifications.waitFor(`Signed out of ${grace} on this computer`);
    assert.match(shown.message, /could not be reached to revoke access/);
    assert.equal(shown.severity, 'warning');
    await notion.listen();
    assert.equal((await consumer.accounts()).length, 2);
  });

  test('Sign Out in the Accounts menu warns too when the server cannot be reached', async () => {
    await notion.stopListening();
    await window.accounts.click(`${ada} (Notion)`, 'Sign Out');
    await window.dialog.click('Sign Out');
    const shown = await window.notifications.waitFor(`Signed out of ${ada} on this computer`);
    assert.match(shown.message, /could not be reached to revoke access/);
    assert.equal(shown.severity, 'warning');
    await notion.listen();
    assert.equal((await consumer.accounts()).length, 1);
  });
});
