import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fetchSelf } from './fetchSelf.ts';
import { signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const ada = 'Ada Lovelace (Engineering Wiki)';
const [wiki, notes] = ['workspace-wiki', 'workspace-notes'];

describe('two workspaces have the same name', { timeout: 240_000 }, async () => {
  const { notion, window, consumer } = await useTestbed();

  /** Names the workspaces of the server, of which one is the user's. */
  function rename(names: Record<string, string>): void {
    for (const workspace of notion.directory.workspaces) {
      workspace.name = names[workspace.id] ?? workspace.name;
    }
  }

  async function assertServers(...names: string[]): Promise<void> {
    await window.runCommand('MCP: List Servers');
    for (const name of names) {
      await window.quickInput.waitFor(name);
    }
    const offered = (await window.quickInput.items()).filter((item) => item.includes('notion'));
    await window.quickInput.cancel();
    assert.equal(offered.length, names.length, offered.join());
  }

  test('an extension that the user allowed for one workspace gets no token of the other after a sign-out', async () => {
    await signIn(window);
    const allowed = await consumer.requestConsent(window, ada);
    assert.equal((await fetchSelf(notion, allowed)).workspace.name, 'Engineering Wiki');
    await assertServers('notion-engineering-wiki');
    await window.runCommand('Notion MCP: Sign Out');
    await window.dialog.click('Sign Out');
    await window.notifications.take('Signed out of');
    rename({ [wiki]: 'Old Wiki', [notes]: 'Engineering Wiki' });
    await signIn(window);
    const [label = '', ...others] = await consumer.accounts();
    assert.deepEqual(others, []);
    assert.match(label, /^Ada Lovelace \(Engineering Wiki\) · /);
    assert.equal(await consumer.silentSession(), undefined);
    await assertServers('notion2-engineering-wiki');
  });

  test('each workspace keeps its name and its consent, in whatever order the accounts are reconnected', async () => {
    rename({ [wiki]: 'Engineering Wiki', [notes]: 'Another Name' });
    await signIn(window);
    const labels = await consumer.accounts();
    assert.ok(labels.includes(ada), 'the first workspace has its label again');
    assert.equal(labels.length, 2);
    const session = await consumer.silentSession();
    assert.equal((await fetchSelf(notion, session)).workspace.name, 'Engineering Wiki');
    await assertServers('notion-engineering-wiki', 'notion2-engineering-wiki');
    await window.screenshot('58-two-workspaces');
  });
});
