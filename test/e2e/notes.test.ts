import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { notesVsix } from './driver/vsix.ts';
import { startPrivateServer } from './privateServer.ts';
import { finishSignIn } from './signIn.ts';
import { type TestbedOptions, useTestbed } from './testbed.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const notes = 'seedling-tests.notion-notes';
const ours = 'seedling.notion-mcp-auth';

/** Runs an extension in the web worker, which is an extension host of its own; the others run in Node. */
const inWorker = (...ids: string[]) => ({ 'remote.extensionKind': Object.fromEntries(ids.map((id) => [id, ['ui']])) });

describeExample('in the same extension host', {});
describeExample('in another extension host, the web worker', { settings: inWorker(notes) });
describeExample('in Node while this extension is in the web worker', { settings: inWorker(ours) });
describeExample('in the web worker, as is this extension', { settings: inWorker(notes, ours) });

/** Clicks through the example for authors, as its user does. */
function describeExample(where: string, options: TestbedOptions): void {
  const isWorker = (id: string) => JSON.stringify(options.settings ?? {}).includes(id);

  describe(`an extension with the copied client, ${where}`, { timeout: 150_000 }, async () => {
    // From the web worker, requests can be sent to https only.
    const privateServer = isWorker(ours) ? (await startPrivateServer({ after })).testbedOptions : {};
    const { notion, window, consumer } = await useTestbed({
      ...privateServer,
      ...options,
      moreExtensions: [notesVsix],
    });

    const preview = (text: string) =>
      window.page.frameLocator('iframe.webview.ready').frameLocator('#active-frame').getByText(text).first();

    test(`both extensions run where they should: the example ${where}`, async () => {
      assert.equal(await consumer.hasBeside(notes), !isWorker(notes));
      assert.equal(await consumer.hasBeside(ours), !isWorker(ours));
    });

    test(`a command that needs Notion is hidden while no account is signed in: ${where}`, async () => {
      await window.page.keyboard.press('F1');
      await window.quickInput.type('>Notion Notes');
      await window.quickInput.waitFor('Notion Notes: Open Page');
      // The palette also lists commands of similar names.
      const commands = (await window.quickInput.items()).filter((item) => item.startsWith('Notion Notes: '));
      assert.deepEqual(commands, ['Notion Notes: Open Page']);
      await window.quickInput.cancel();
    });

    test(`a first search signs in, and shows the page that the user picks: ${where}`, async () => {
      await window.runCommand('Notion Notes: Open Page');
      await window.quickInput.type('release checklist');
      await window.quickInput.accept();
      await window.dialog.waitFor('wants to sign in using Notion');
      await window.dialog.click('Allow');
      await finishSignIn(window);
      await window.quickInput.choose('Release checklist');
      await preview('Every release goes through this list.').waitFor();
      await window.screenshot(`60-notes ${where}`);
    });

    test(`a note is created with the text of the editor: ${where}`, async () => {
      await consumer.command('workbench.action.files.newUntitledFile');
      await window.page.locator('.monaco-editor.focused').first().waitFor();
      await window.page.keyboard.type('Ada proposed a moth trap.');
      await window.runCommand('Notion Notes: Create Note');
      await window.quickInput.type('Meeting');
      await window.quickInput.accept();
      await window.notifications.take('Created “Meeting”');
      const pages = notion.directory.workspaces.flatMap((workspace) => workspace.pages);
      assert.deepEqual(
        pages.filter(({ title }) => title === 'Meeting').map(({ text }) => text),
        ['Ada proposed a moth trap.'],
      );
    });

    test(`what Notion refuses is told by its code: ${where}`, async () => {
      const error = { code: 'validation_error', message: 'body.query should be shorter.' };
      const result = { content: [{ type: 'text', text: JSON.stringify({ error }) }], isError: true };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, result });
      // A fault responds in place of the server, so it has to let the web worker read the response.
      const allowed = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'Authorization, *' };
      const headers = { 'content-type': 'application/json', ...allowed };
      notion.fault({ path: '/mcp' }, { kind: 'respond', status: 200, body, headers });
      // The note that was created, its progress and that of this search are three notifications already.
      await window.notifications.waitForFreeSlot();
      await window.runCommand('Notion Notes: Open Page');
      await window.quickInput.type('release checklist');
      await window.quickInput.accept();
      const { message } = await window.notifications.take('(validation)');
      assert.match(
        message,
        /does not accept this request\. Notion says: “body\.query should be shorter\.” \(validation\)/,
      );
    });

    test(`a user who takes the consent back in the Accounts menu is asked again, and a refusal has a code: ${where}`, async () => {
      await window.accounts.click(`${ada} (Notion)`, 'Manage Trusted Extensions');
      await window.quickInput.waitFor('Notion Notes');
      await window.quickInput.toggle('Notion Notes');
      await window.quickInput.accept();
      notion.log.clear();
      await window.runCommand('Notion Notes: Open Page');
      await window.quickInput.type('release checklist');
      await window.quickInput.accept();
      await window.dialog.waitFor('Notion Notes');
      await window.dialog.click('Cancel');
      await window.notifications.take('(accessDenied)');
      assert.deepEqual(notion.requests({ rpcMethod: 'tools/call' }), []);
    });
  });
}
