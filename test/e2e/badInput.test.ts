import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { exactly } from './driver/exactly.ts';
import { fetchSelf } from './fetchSelf.ts';
import { beginSignIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const serverUrl = 'notionMcp.serverUrl';
const json = { 'content-type': 'application/json' };
const signInCommand = 'Notion MCP: Sign In';
const label = 'Ada Lovelace (Engineering Wiki)';

describe('invalid settings, unusual names and unexpected callbacks', { timeout: 240_000 }, async () => {
  const { notion, editor, window, consumer } = await useTestbed();

  /** Waits for the error, checks its buttons and that it is the only error shown, and closes it. */
  async function expectError(sentence: string, buttons: string[], picture?: string): Promise<void> {
    const shown = await window.notifications.waitFor(sentence);
    if (picture !== undefined) {
      await window.screenshot(picture);
    }
    assert.deepEqual({ severity: shown.severity, buttons: shown.buttons }, { severity: 'error', buttons });
    const errors = (await window.notifications.list()).filter(({ severity }) => severity === 'error');
    assert.equal(errors.length, 1);
    await window.notifications.dismiss(sentence);
  }

  async function connect(workspace: string): Promise<string> {
    const tab = await beginSignIn(window);
    await tab.locator(`input[value="user-ada"]`).check();
    await tab.locator(`input[value="${workspace}"]`).check();
    await tab.getByRole('button', { name: 'Allow' }).click();
    const { message } = await window.notifications.take('Signed in as');
    await tab.close();
    return message;
  }

  describe('an invalid server URL', () => {
    const invalidUrls = [
      ['', 'server URL is empty'],
      ['  ', 'server URL is empty'],
      ['127.0.0.2/mcp', 'must begin with https://'],
      ['http://192.0.2.1/mcp', 'http:// is only for this computer'],
      ['http://user:password@127.0.0.2/mcp', 'must not contain a user name or password'],
      ['http://127.0.0.2/mcp?a=b', 'must not contain a question mark'],
      ['http://127.0.0.2/mcp#a', 'must not contain a number sign'],
      ['http://127.0.0.2/mcp/', 'must not end in a slash'],
      ['http://127.0.0.2/sse', 'ends in /sse'],
      ['https://', 'is not a web address'],
    ] as const;
    for (const [url, sentence] of invalidUrls) {
      test(`the server URL “${url}” is reported with one error message, and no request is sent`, async () => {
        const requests = notion.requests().length;
        await consumer.changeSetting(serverUrl, url.replaceAll('127.0.0.2', new URL(notion.mcpUrl).host));
        await window.runCommand(signInCommand);
        await expectError(sentence, ['Open Setting'], url === '' ? '30-empty-server-url' : undefined);
        assert.equal(notion.requests().length, requests);
      });
    }

    test('Open Setting opens the server URL in the settings editor', async () => {
      await window.runCommand(signInCommand);
      await window.notifications.click('is not a web address', 'Open Setting');
      await window.page.locator('.settings-editor .setting-item-contents').getByText('Server Url').first().waitFor();
      await window.screenshot('31-open-setting');
      await consumer.command('workbench.action.closeActiveEditor');
    });

    test('an account is kept when the server URL changes, and is available again when the URL is restored', async () => {
      await consumer.changeSetting(serverUrl, notion.mcpUrl);
      assert.equal(await connect('workspace-wiki'), 'Signed in as Ada Lovelace (Engineering Wiki).');
      await consumer.changeSetting(serverUrl, '');
      assert.deepEqual(await consumer.accounts(), []);
      const { severity, buttons } = await window.notifications.waitFor(
        'Ada Lovelace (Engineering Wiki) belongs to the previous server',
      );
      assert.deepEqual({ severity, buttons }, { severity: 'info', buttons: ['Manage Accounts', 'Open Setting'] });
      await window.screenshot('33-server-changed');
      await window.notifications.click('belongs to the previous server', 'Manage Accounts');
      await window.quickInput.choose(label);
      const { host } = new URL(notion.mcpUrl);
      assert.equal(await window.quickInput.prompt(), `belongs to ${host}, which is not the server in the settings`);
      for (const item of ['Change the server in the settings', 'Open the workspace in the browser', 'Sign out']) {
        await window.quickInput.waitFor(item);
      }
      await window.quickInput.cancel();
      await consumer.changeSetting(serverUrl, notion.mcpUrl);
      assert.deepEqual(await consumer.accounts(), [label]);
    });
  });

  describe('a server URL that leads to no MCP server', () => {
    after(() => consumer.changeSetting(serverUrl, notion.mcpUrl));

    test('a server that responds with a web page is reported with a link to the setting', async () => {
      notion.fault({}, { kind: 'respond', status: 200, body: '<html>Hello</html>' });
      await consumer.changeSetting(serverUrl, `${notion.origin}/page`);
      await window.runCommand(signInCommand);
      await expectError(
        'does not say where to sign in: “authorization_servers”',
        ['Open Setting', 'Show Log'],
        '32-web-page',
      );
      await window.notifications.waitForFreeSlot();
    });

    test('authorization server metadata without an authorization endpoint is reported with the missing field', async () => {
      const resource = { resource: `${notion.origin}/page`, authorization_servers: [notion.origin] };
      const metadata = { issuer: notion.origin, code_challenge_methods_supported: ['S256'] };
      const jsonResponse = (body: unknown) =>
        ({ kind: 'respond', status: 200, body: JSON.stringify(body), headers: json }) as const;
      notion.fault({ path: '/.well-known/oauth-protected-resource/page' }, jsonResponse(resource));
      notion.fault({ path: '/.well-known/oauth-authorization-server' }, jsonResponse(metadata));
      await window.runCommand(signInCommand);
      await expectError('does not say where to sign in: “authorization_endpoint”', ['Open Setting', 'Show Log']);
    });
  });

  describe('names that the server sends', () => {
    const names = [
      { user: '', workspace: '', label: 'ada@example.com', message: 'Signed in as ada@example.com.' },
      { user: 'A'.repeat(10_000), workspace: 'W', label: /^A{59}…$/, message: /^Signed in as A{59}…\.$/ },
      { user: '$(trash) Ada', workspace: 'W', label: '(trash) Ada (W)', message: 'Signed in as (trash) Ada (W).' },
      { user: '[Ada](command:notionMcp.signOut)', workspace: 'W', label: /Ada/, message: /Ada/ },
      {
        user: 'Ada\u202e\r\nLovelace',
        workspace: 'W',
        label: 'Ada Lovelace (W)',
        message: 'Signed in as Ada Lovelace (W).',
      },
    ];
    /** Signs in to a new workspace of this name, as an account keeps its first label. */
    async function connectTo(workspace: string): Promise<string> {
      const id = `workspace-${notion.directory.workspaces.length}`;
      notion.directory.workspaces.push({ id, name: workspace, pages: [], databases: [] });
      return connect(id);
    }

    async function signOut(other: string): Promise<void> {
      await window.runCommand('Notion MCP: Sign Out');
      await window.quickInput.choose(other);
      await window.dialog.click('Sign Out');
      await window.notifications.take('Signed out of');
    }

    for (const { user, workspace, label: expectedLabel, message } of names) {
      test(`an account with the user name ${JSON.stringify(user.slice(0, 40))} gets a safe label and message`, async () => {
        const ada = notion.directory.users[0];
        assert.ok(ada);
        Object.assign(ada, { name: user });
        const shown = await connectTo(workspace);
        const others = (await consumer.accounts()).filter((each) => each !== label);
        assert.equal(others.length, 1);
        assert.match(others[0] ?? '', expectedLabel instanceof RegExp ? expectedLabel : exactly(expectedLabel));
        assert.match(shown, message instanceof RegExp ? message : exactly(message));
        await signOut(others[0] ?? '');
      });
    }

    test('two accounts with the same names get different labels', async () => {
      const ada = notion.directory.users[0];
      assert.ok(ada);
      Object.assign(ada, { name: 'Ada Lovelace' });
      await connectTo('Engineering Wiki');
      assert.deepEqual(await consumer.accounts(), [label, `${label} · ada@example.com`]);
    });
  });

  describe('callbacks that arrive unexpectedly', () => {
    test('a link to another path of the extension is ignored and logged', async () => {
      const tab = await beginSignIn(window);
      const redirectUri = new URL(tab.url()).searchParams.get('redirect_uri') ?? '';
      await editor.openTab(
        redirectUri.replace('%2Fcallback', '%2Felsewhere').replace('path=/callback', 'path=/elsewhere'),
      );
      await editor.log('seedling.notion-mcp-auth').waitFor(/a link to this extension with an unknown path/);
      await window.notifications.click('in your browser', 'Cancel');
      await tab.close();
    });

    test('a callback after the window was reloaded changes nothing', async () => {
      const tab = await beginSignIn(window);
      await window.reload();
      await consumer.waitForRestart();
      const accounts = await consumer.accounts();
      await tab.getByRole('button', { name: 'Allow' }).click();
      await tab.getByText(/close this (tab|page|window)/i).waitFor();
      await tab.close();
      assert.deepEqual(await consumer.accounts(), accounts);
    });

    test('an account that is signed out during its new sign-in is back after the user allows access', async () => {
      const [kept = '', other = ''] = await consumer.accounts();
      const tab = await beginSignIn(window);
      await window.runCommand('Notion MCP: Sign Out');
      await window.quickInput.choose(other);
      await window.dialog.click('Sign Out');
      await window.notifications.waitFor('Signed out of');
      assert.deepEqual(await consumer.accounts(), [kept]);
      await tab.locator(`input[value="${notion.directory.workspaces.at(-1)?.id}"]`).check();
      await tab.getByRole('button', { name: 'Allow' }).click();
      await window.notifications.waitFor('Signed in as');
      await tab.close();
      assert.deepEqual(await consumer.accounts(), [kept, other]);
    });
  });

  test('the first account still works after all invalid input', async () => {
    const session = await consumer.requestConsent(window, label);
    assert.equal((await fetchSelf(notion, session)).workspace.name, 'Engineering Wiki');
  });
});
