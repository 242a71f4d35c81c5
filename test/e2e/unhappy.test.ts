import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { settledMinutes } from './consumer.ts';
import { fetchSelf } from './fetchSelf.ts';
import { allow, allowAndCopyAddress, beginSignIn, confirmServer, finishSignIn, signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const label = 'Ada Lovelace (Engineering Wiki)';
const other = 'Ada Lovelace (Team Notes)';
/** How often a sign-in asks who the account is. */
const identityTries = 4;
const json = { 'content-type': 'application/json' };

describe('failures during sign-in and renewal', { timeout: 280_000 }, async () => {
  const { notion, editor, window, consumer } = await useTestbed({ logLevel: 'trace' });

  // This account must survive every failure below.
  await signIn(window);

  /** Waits for the error, checks its buttons, closes it, and checks that the existing account is unchanged. */
  async function expectError(sentence: string | RegExp, buttons: string[], picture?: string): Promise<void> {
    const shown = await window.notifications.waitFor(sentence);
    if (picture !== undefined) {
      await window.screenshot(picture);
    }
    assert.deepEqual(shown.buttons, buttons);
    assert.equal(shown.severity, 'error');
    await window.notifications.dismiss(sentence);
    assert.deepEqual(await consumer.accounts(), [label]);
    assert.equal(await window.dialog.isShown(), false);
  }

  test('Cancel ends a sign-in at once, and a late callback only shows a notification', async () => {
    const tab = await beginSignIn(window);
    await window.notifications.click('in your browser', 'Cancel');
    await window.notifications.waitForNone('in your browser');
    await allow(tab, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    const { buttons } = await window.notifications.take('has already ended');
    assert.deepEqual(buttons, ['Sign In', 'Show Log']);
    await tab.close();
    assert.deepEqual(await consumer.accounts(), [label]);
  });

  test('a consent page that was closed in the browser can be opened again', async () => {
    const closed = await beginSignIn(window);
    const address = closed.url();
    await closed.close();
    await window.notifications.click('in your browser', 'Open it again');
    const tab = await window.nextTab();
    assert.equal(tab.url(), address);
    await allow(tab);
    await window.notifications.take('Signed in as');
    await tab.close();
  });

  test('a callback with a wrong state changes nothing, and the sign-in completes through another channel', async () => {
    const tab = await beginSignIn(window);
    const redirectUri = new URL(tab.url()).searchParams.get('redirect_uri') ?? '';
    await editor.openTab(`${redirectUri}&code=stolen&state=d3Jvbmc%3D`);
    await editor.log('seedling.notion-mcp-auth').waitFor(/belongs to no sign-in of this window/);
    await tab.close();
    // This editor accepts one callback per address. The sign-in keeps waiting, and the user pastes the next one.
    await window.notifications.click('in your browser', 'Try another way');
    const other = await window.nextTab();
    const address = await allowAndCopyAddress(other);
    await window.quickInput.type('not an address');
    await window.quickInput.accept();
    await window.screenshot('14-paste');
    await window.quickInput.type(`  ${address.slice(0, 40)}\n${address.slice(40)} `);
    await window.quickInput.accept();
    await window.notifications.take('Signed in as');
    await other.close();
    assert.deepEqual(await consumer.accounts(), [label]);
  });

  test('a callback that names another issuer is refused at once in the progress, and Open it again leads to the end', async () => {
    const tab = await beginSignIn(window);
    const redirectUri = new URL(tab.url()).searchParams.get('redirect_uri') ?? '';
    const state = new URL(tab.url()).searchParams.get('state') ?? '';
    const forged = new URLSearchParams({ code: 'stolen', state, iss: 'https://evil.example' });
    await editor.openTab(`${redirectUri}&${forged}`);
    await window.page.bringToFront();
    await window.notifications.waitFor('came from another server than');
    await window.screenshot('15-refused');
    // This editor accepts one callback per address, so the next one is pasted.
    await window.notifications.click('came from another server than', 'Try another way');
    const other = await window.nextTab();
    const address = await allowAndCopyAddress(other);
    await window.page.bringToFront();
    await window.quickInput.type(address);
    await window.quickInput.accept();
    await window.notifications.take('Signed in as');
    await window.notifications.waitForNone('came from another server than');
    await tab.close();
    await other.close();
  });

  test('a sign-in that finishes ends the older one that still waits, and its notification disappears', async () => {
    const older = await beginSignIn(window);
    const later = await beginSignIn(window);
    assert.equal((await window.notifications.list()).length, 2);
    await allow(later);
    await window.notifications.take('Signed in as');
    await window.notifications.waitForNone(/in your browser|Finishing the sign-in/);
    assert.deepEqual(await window.notifications.list(), []);
    await older.close();
    await later.close();
  });

  test('a sign-in that gets no response from the browser ends after five minutes, and Try Again begins it anew', async () => {
    const limitMs = 5 * 60_000;
    await consumer.changeTimers({ ofMs: limitMs, toMs: 1_000 });
    const first = await beginSignIn(window);
    // Behind the page, the window would be told so late that the editor might hide the note before its button is clicked.
    await window.page.bringToFront();
    const { severity, buttons } = await window.notifications.waitFor(
      'No response came from the browser within 5 minutes',
    );
    assert.deepEqual({ severity, buttons }, { severity: 'info', buttons: ['Try Again', 'Show Log'] });
    await window.notifications.waitForNone('in your browser');
    await window.screenshot('22-time-limit');
    await consumer.changeTimers({ ofMs: limitMs, toMs: limitMs });
    await window.notifications.click('No response came from the browser', 'Try Again');
    const second = await confirmServer(window);
    await allow(second);
    await window.notifications.take('Signed in as');
    await first.close();
    await second.close();
  });

  test('a callback of an earlier attempt is reported as such each time, and the sign-in keeps waiting for the current one', async () => {
    for (let count = 1; count <= 2; count += 1) {
      const earlier = await beginSignIn(window);
      await window.notifications.click('in your browser', 'Try another way');
      const last = await window.nextTab();
      await allow(earlier);
      const { buttons } = await window.notifications.waitFor('belongs to an earlier attempt');
      assert.deepEqual(buttons, ['Show Log']);
      await earlier.close();
      await last.close();
      await window.page.bringToFront();
      await window.quickInput.cancel();
      await window.notifications.waitForNone('Allow access');
      // As the editor does by itself after some seconds: the note is not closed.
      await consumer.command('notifications.hideToasts');
      await window.notifications.waitForNone('belongs to an earlier attempt');
    }
    assert.deepEqual(await consumer.accounts(), [label]);
  });

  test('a sign-in reports that the server cannot be reached before consent', async () => {
    await notion.stopListening();
    await window.runCommand('Notion MCP: Sign In');
    await expectError('cannot be reached', ['Try Again', 'Open Setting', 'Show Log'], '20-unreachable');
    await notion.listen();
  });

  test('a connection failure after consent is reported, and the existing account is kept', async () => {
    const tab = await beginSignIn(window);
    notion.fault({ path: '/token', times: 1 }, { kind: 'drop', when: 'before' });
    await allow(tab);
    await expectError('cannot be reached', ['Try Again', 'Open Setting', 'Show Log']);
    await tab.close();
  });

  test('a server error during the code exchange is reported with its status', async () => {
    const tab = await beginSignIn(window);
    notion.fault({ path: '/token', times: 1 }, { kind: 'respond', status: 503, body: '<html>Down</html>' });
    await allow(tab);
    await expectError('is having problems (status 503)', ['Try Again', 'Show Log']);
    await tab.close();
  });

  test('a token response without a token is reported as an unexpected response', async () => {
    const tab = await beginSignIn(window);
    notion.fault({ path: '/token', times: 1 }, { kind: 'respond', status: 200, body: '{}', headers: json });
    await allow(tab);
    await expectError('returned an unexpected response', ['Try Again', 'Show Log']);
    await tab.close();
  });

  test('a rejected client registration is reported with the server’s reason as plain text', async () => {
    const error = { error: 'access_denied', error_description: 'No [more](command:evil) clients' };
    notion.fault(
      { path: '/register', times: 1 },
      { kind: 'respond', status: 400, body: JSON.stringify(error), headers: json },
    );
    await window.runCommand('Notion MCP: Sign In');
    await window.dialog.click('Continue');
    await expectError('refused to register', ['Try Again', 'Show Log'], '21-registration-refused');
  });

  /** Signs in while Notion cannot tell whose access it is; it can from the first request after the sign-in. */
  async function signInUnknown(workspace: string): Promise<void> {
    const tab = await beginSignIn(window);
    notion.profile.identityFailure = { as: 'serializationFault', times: identityTries };
    await allow(tab, { user: 'Ada Lovelace', workspace });
    await window.notifications.waitFor('The account is called “Notion account');
    await tab.close();
  }

  /** Requests sessions, as the consumer would at any time, until the accounts have these labels. */
  async function waitForAccounts(labels: string[]): Promise<void> {
    for (;;) {
      const { sessionChanges } = await consumer.history();
      await consumer.silentSession();
      if (isDeepStrictEqual(await consumer.accounts(), labels)) {
        return;
      }
      await consumer.waitForSessionChangesBeyond(sessionChanges);
    }
  }

  test('an account that Notion could not name at the sign-in gets its true label by itself, once', async () => {
    await signInUnknown('Team Notes');
    await window.screenshot('23-fallback-label');
    await waitForAccounts([label, other]);
    await window.notifications.dismiss('The account is called “Notion account');
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.waitFor(other);
    await window.screenshot('23-true-label');
    await window.quickInput.cancel();
    const log = await editor.log('seedling.notion-mcp-auth').waitFor(/The account has its names now\./);
    assert.equal(log.split('The account has its names now.').length, 2);
    await window.runCommand('Notion MCP: Sign Out');
    await window.quickInput.choose(other);
    await window.dialog.click('Sign Out');
    await window.notifications.take(`Signed out of ${other}.`);
  });

  test('an account that turns out to be signed in already becomes one with it, and sessions stay the same', async () => {
    const { id } = await consumer.requestConsent(window, label);
    await signInUnknown('Engineering Wiki');
    await waitForAccounts([label]);
    await window.notifications.dismiss('The account is called “Notion account');
    const session = await consumer.silentSession();
    assert.equal(session?.id, id);
    assert.equal((await fetchSelf(notion, session)).workspace.name, 'Engineering Wiki');
  });

  test('a sign-in that Notion ended is reported, its account is kept, and Reconnect restores the same session', async () => {
    const id = (await consumer.silentSession())?.id;
    await consumer.advanceClock(settledMinutes);
    await notion.revokeGrants();
    await window.runCommand('Notion MCP: Refresh Session');
    const { severity, buttons } = await window.notifications.waitFor(`Notion ended the sign-in of ${label}`);
    assert.deepEqual({ severity, buttons }, { severity: 'warning', buttons: ['Reconnect', 'Manage Accounts'] });
    await window.page.getByText('Notion: sign in').waitFor();
    await window.screenshot('24-ended');
    assert.equal(await consumer.silentSession(), undefined);
    assert.deepEqual(await consumer.accounts(), [label]);
    await window.notifications.click(`Notion ended the sign-in of ${label}`, 'Reconnect');
    await finishSignIn(window);
    assert.equal((await consumer.silentSession())?.id, id);
    assert.equal(await window.page.getByText('Notion: sign in').isVisible(), false);
  });

  test('the log shows every step of a sign-in, a renewal and a sign-out under one id each', async () => {
    const text = await editor.log('seedling.notion-mcp-auth').text();
    const { host } = new URL(notion.mcpUrl);
    const steps = {
      'sign-in': [
        'A sign-in begins',
        `GET url=${host}/.well-known/oauth-protected-resource/mcp status=200`,
        `POST url=${host}/register status=201`,
        `POST url=${host}/token status=200`,
        `POST url=${host}/mcp status=200`,
        'Signed in',
      ],
      renewal: ['Renewing', `POST url=${host}/token status=400`, 'needs to be signed in again'],
      'sign-out': ['Signing out', `POST url=${host}/token status=200`, 'Signed out'],
    };
    for (const [name, expected] of Object.entries(steps)) {
      const ids = new Set(text.match(new RegExp(`\\[${name} [0-9a-f]{4}\\]`, 'g')));
      const complete = [...ids].filter((id) => {
        const lines = text.split('\n').filter((line) => line.includes(id));
        return expected.every((step) => lines.some((line) => line.includes(step)));
      });
      assert.ok(complete.length > 0, `${name}: ${expected.join(', ')} under one id, in\n${text}`);
    }
  });

  test('Copy Diagnostics lists the last sign-ins by their names in the log, with the channels and the end of each, and no name of a user', async () => {
    await window.runCommand('Notion MCP: Copy Diagnostics');
    await window.notifications.take('Diagnostics copied');
    const text = await window.clipboard();
    const attempts = text.split('\n').filter((line) => /^ {2}[-\d]+ [:\d]+ sign-in /.test(line));
    assert.equal(attempts.length, 10, text);
    const ends = [
      /: discovery; FAILED after \d+ s, transient at discovery: unreachable$/,
      /: discovery, channel uriHandler, waiting for the browser, response received; FAILED after \d+ s, transient at token: http_503$/,
      /: discovery, channel uriHandler; FAILED after \d+ s, \w+ at registration: \w+, HTTP 400$/,
      /, response received; signed in as account 1 after \d+ s$/,
    ];
    for (const end of ends) {
      assert.ok(
        attempts.some((line) => end.test(line)),
        `${end} in\n${text}`,
      );
    }
    const log = await editor.log('seedling.notion-mcp-auth').text();
    for (const attempt of attempts) {
      const name = /sign-in [0-9a-f]{4}/.exec(attempt)?.[0];
      assert.ok(log.includes(`[${name}] A sign-in begins.`), attempt);
    }
    assert.ok(!text.includes('Ada'), text);
    assert.deepEqual(
      notion.issuedSecrets().filter((secret) => text.includes(secret)),
      [],
    );
  });

  test('no secret is in a log of any level or in any other file of the editor, and no user name is in the extension’s log', async () => {
    assert.notDeepEqual(await editor.filesContaining(['Sessions changed.']), [], 'debug lines are logged');
    assert.deepEqual(await editor.filesContaining(notion.issuedSecrets()), []);
    assert.ok(!(await editor.log('seedling.notion-mcp-auth').text()).includes('Ada'), 'a user name is in the log');
  });
});
