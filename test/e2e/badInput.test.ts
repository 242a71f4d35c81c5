import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import { directoryVariable } from '../editor/consumer/protocol.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { Consumer, sessionIn } from './consumer.ts';
import { Editor } from './driver/editor.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { consumerVsix, extensionVsix } from './driver/vsix.ts';
import { askServer } from './mcp.ts';

const serverUrl = 'notionMcp.serverUrl';
const json = { 'content-type': 'application/json' };
const signIn = 'Notion MCP: Sign In';

describe('input that nobody should have to suffer from', { timeout: 120_000 }, () => {
  let notion: NotionServer;
  let editor: Editor;
  let window: EditorWindow;
  let consumer: Consumer;
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'consumers-'));
    notion = await startNotionServer({ version: 'today' });
    editor = await Editor.start({
      extensions: [extensionVsix, consumerVsix],
      settings: { [serverUrl]: notion.mcpUrl },
      environment: { [directoryVariable]: directory },
    });
    window = await editor.openWindow();
    consumer = await Consumer.appears(directory);
  });

  after(async () => {
    await editor?.stop();
    await notion?.close();
    await rm(directory, { recursive: true, force: true });
  });

  afterEach(async (context) => {
    const { passed, name } = context as TestContext & { passed: boolean };
    if (!passed) {
      await editor.keepEvidence(name);
      // What is left of one failure is not to fail the others.
      await consumer.command('notifications.clearAll');
    }
    notion.faults.clear();
  });

  /** Said once, with these buttons, and nowhere else. */
  async function said(sentence: string, buttons: string[], picture?: string): Promise<void> {
    const shown = await window.notifications.waitFor(sentence);
    if (picture !== undefined) {
      await window.screenshot(picture);
    }
    assert.deepEqual({ severity: shown.severity, buttons: shown.buttons }, { severity: 'error', buttons });
    const failures = (await window.notifications.list()).filter(({ severity }) => severity === 'error');
    assert.equal(failures.length, 1);
    await window.notifications.dismiss(sentence);
  }

  async function connect(workspace: string): Promise<string> {
    await window.runCommand(signIn);
    await window.dialog.click('Continue');
    const tab = await window.nextTab();
    await tab.locator(`input[value="user-ada"]`).check();
    await tab.locator(`input[value="${workspace}"]`).check();
    await tab.getByRole('button', { name: 'Allow' }).click();
    const { message } = await window.notifications.waitFor('Connected as');
    await tab.close();
    await window.notifications.dismiss('Connected as');
    return message;
  }

  describe('a server URL that cannot be used is said in one sentence, and nothing is sent', () => {
    const wrong = [
      ['', 'server URL is empty'],
      ['  ', 'server URL is empty'],
      ['127.0.0.2/mcp', 'must begin with https://'],
      ['http://192.0.2.1/mcp', 'http:// is only for this computer'],
      ['http://user:password@127.0.0.2/mcp', 'must not hold a user name or a password'],
      ['http://127.0.0.2/mcp?a=b', 'must not hold a question mark'],
      ['http://127.0.0.2/mcp#a', 'must not hold a number sign'],
      ['http://127.0.0.2/mcp/', 'must not end in a slash'],
      ['http://127.0.0.2/sse', 'ends in /sse'],
      ['https://', 'is not a web address'],
    ] as const;
    for (const [url, sentence] of wrong) {
      test(`“${url}”`, async () => {
        const requests = notion.requests().length;
        await consumer.changeSetting(serverUrl, url.replaceAll('127.0.0.2', new URL(notion.mcpUrl).host));
        await window.runCommand(signIn);
        await said(sentence, ['Open Setting'], url === '' ? '30-empty-server-url' : undefined);
        assert.equal(notion.requests().length, requests);
      });
    }

    test('Open Setting leads to the setting', async () => {
      await window.runCommand(signIn);
      await window.notifications.click('is not a web address', 'Open Setting');
      await window.page.locator('.settings-editor .setting-item-contents').getByText('Server Url').first().waitFor();
      await window.screenshot('31-open-setting');
      await consumer.command('workbench.action.closeActiveEditor');
    });

    test('an account of the server from before is kept, and back with the right URL', async () => {
      await consumer.changeSetting(serverUrl, notion.mcpUrl);
      assert.equal(
        await connect('workspace-wiki'),
        'Connected as Ada Lovelace in Engineering Wiki. Notion’s tools are now available in chat.',
      );
      await consumer.changeSetting(serverUrl, '');
      assert.deepEqual(await consumer.accounts(), []);
      const { severity, buttons } = await window.notifications.waitFor(
        'Ada Lovelace (Engineering Wiki) belongs to the previous server',
      );
      assert.deepEqual({ severity, buttons }, { severity: 'info', buttons: ['Manage Accounts', 'Open Setting'] });
      await window.screenshot('33-server-changed');
      await window.notifications.click('belongs to the previous server', 'Manage Accounts');
      await window.quickInput.choose('Ada Lovelace (Engineering Wiki)');
      const { host } = new URL(notion.mcpUrl);
      assert.equal(await window.quickInput.prompt(), `belongs to ${host}, which is not the server in the settings`);
      for (const item of ['Change the server in the settings', 'Open the workspace in the browser', 'Sign out']) {
        await window.quickInput.waitFor(item);
      }
      await window.quickInput.cancel();
      await consumer.changeSetting(serverUrl, notion.mcpUrl);
      assert.deepEqual(await consumer.accounts(), ['Ada Lovelace (Engineering Wiki)']);
    });
  });

  describe('a server that is none', () => {
    after(() => consumer.changeSetting(serverUrl, notion.mcpUrl));

    test('an address that answers with a web page', async () => {
      notion.fault({}, { kind: 'answer', status: 200, body: '<html>Hello</html>' });
      await consumer.changeSetting(serverUrl, `${notion.origin}/page`);
      await window.runCommand(signIn);
      await said('does not say where to sign in: “authorization_servers”', ['Open Setting', 'Show Log'], '32-web-page');
      await window.notifications.waitForRoom();
    });

    test('a server that names no place to sign in', async () => {
      const resource = { resource: `${notion.origin}/page`, authorization_servers: [notion.origin] };
      const metadata = { issuer: notion.origin, code_challenge_methods_supported: ['S256'] };
      const answer = (body: unknown) =>
        ({ kind: 'answer', status: 200, body: JSON.stringify(body), headers: json }) as const;
      notion.fault({ path: '/.well-known/oauth-protected-resource/page' }, answer(resource));
      notion.fault({ path: '/.well-known/oauth-authorization-server' }, answer(metadata));
      await window.runCommand(signIn);
      await said('does not say where to sign in: “authorization_endpoint”', ['Open Setting', 'Show Log']);
    });
  });

  describe('names that a server may send', () => {
    const names = [
      { user: '', workspace: '', label: 'ada@example.com', said: 'Connected as ada@example.com.' },
      { user: 'A'.repeat(10_000), workspace: 'W', label: /^A{59}… \(W\)$/, said: /^Connected as A{59}… in W\.$/ },
      { user: '$(trash) Ada', workspace: 'W', label: '(trash) Ada (W)', said: 'Connected as (trash) Ada in W.' },
      { user: '[Ada](command:notionMcp.signOut)', workspace: 'W', label: /Ada/, said: /Ada/ },
      {
        user: 'Ada\u202e\r\nLovelace',
        workspace: 'W',
        label: 'Ada Lovelace (W)',
        said: 'Connected as Ada Lovelace in W.',
      },
    ];
    for (const { user, workspace, label, said } of names) {
      test(`“${JSON.stringify(user.slice(0, 40))}”`, async () => {
        const ada = notion.directory.users[0];
        const notes = notion.directory.workspaces[1];
        assert.ok(ada && notes);
        Object.assign(ada, { name: user });
        Object.assign(notes, { name: workspace });
        const message = await connect('workspace-notes');
        const others = (await consumer.accounts()).filter((each) => each !== 'Ada Lovelace (Engineering Wiki)');
        assert.equal(others.length, 1);
        assert.match(others[0] ?? '', label instanceof RegExp ? label : new RegExp(`^${literally(label)}$`));
        assert.match(message, said instanceof RegExp ? said : new RegExp(`^${literally(said)}$`));
      });
    }

    test('two accounts with the same names are told apart', async () => {
      const ada = notion.directory.users[0];
      const notes = notion.directory.workspaces[1];
      assert.ok(ada && notes);
      Object.assign(ada, { name: 'Ada Lovelace' });
      Object.assign(notes, { name: 'Engineering Wiki' });
      await connect('workspace-notes');
      assert.deepEqual(await consumer.accounts(), [
        'Ada Lovelace (Engineering Wiki)',
        'Ada Lovelace (Engineering Wiki) · ada@example.com',
      ]);
    });
  });

  describe('answers that are not for us', () => {
    test('another path on our address is only logged', async () => {
      await window.runCommand(signIn);
      await window.dialog.click('Continue');
      const tab = await window.nextTab();
      const redirectUri = new URL(tab.url()).searchParams.get('redirect_uri') ?? '';
      await editor.openTab(
        redirectUri.replace('%2Fcallback', '%2Felsewhere').replace('path=/callback', 'path=/elsewhere'),
      );
      await editor.log('seedling.notion-mcp-auth').waitFor(/a path that it does not know/);
      await window.notifications.click('in your browser', 'Cancel');
      await tab.close();
    });

    test('an answer after a reload of the window changes nothing', async () => {
      await window.runCommand(signIn);
      await window.dialog.click('Continue');
      const tab = await window.nextTab();
      await window.reload();
      consumer = await Consumer.appears(directory, [consumer]);
      const accounts = await consumer.accounts();
      await tab.getByRole('button', { name: 'Allow' }).click();
      await tab.close();
      assert.deepEqual(await consumer.accounts(), accounts);
    });

    test('an account that was signed out meanwhile is there again once its sign-in is allowed', async () => {
      const [kept = '', other = ''] = await consumer.accounts();
      await window.runCommand(signIn);
      await window.dialog.click('Continue');
      const tab = await window.nextTab();
      await window.page.bringToFront();
      await window.runCommand('Notion MCP: Sign Out');
      await window.quickInput.choose(other);
      await window.dialog.click('Sign Out');
      await window.notifications.waitFor('Signed out of');
      assert.deepEqual(await consumer.accounts(), [kept]);
      await tab.locator('input[value="workspace-notes"]').check();
      await tab.getByRole('button', { name: 'Allow' }).click();
      await window.notifications.waitFor('Connected as');
      await tab.close();
      assert.deepEqual(await consumer.accounts(), [kept, other]);
    });
  });

  test('after all this the first account still works', async () => {
    const asking = consumer.ask({ scopes: ['default'], options: { createIfNone: true } });
    await window.dialog.click('Allow');
    await window.quickInput.choose('Ada Lovelace (Engineering Wiki)');
    const session = sessionIn(await asking);
    assert.equal((await askServer(notion.mcpUrl, session?.accessToken ?? '')).workspace.name, 'Engineering Wiki');
  });
});

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
