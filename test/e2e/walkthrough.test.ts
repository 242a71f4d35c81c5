import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { waitInFolder } from './driver/waitInFolder.ts';
import { signIn } from './signIn.ts';
import { journalFolder } from './storedSecrets.ts';
import { useTestbed } from './testbed.ts';

const forSignedIn = 'Session Consumer: Find a Notion Page';
const forSeveralAccounts = 'Session Consumer: Choose a Notion Account';

describe('what the editor knows of the accounts', { timeout: 180_000 }, async () => {
  const { editor, window, consumer } = await useTestbed();

  /** Waits until the palette shows these commands of another extension, with a `when` clause, and no others. */
  async function expectCommands(...expected: string[]): Promise<void> {
    await window.page.bringToFront();
    await window.page.keyboard.press('F1');
    await window.quickInput.type('>Session Consumer: ');
    for (const label of expected) {
      await window.quickInput.waitFor(label);
    }
    const items = await window.quickInput.items();
    await window.quickInput.cancel();
    assert.deepEqual(
      items.filter((label) => label.startsWith('Session Consumer: ')),
      expected,
    );
  }

  /** Opens the walkthrough and waits until these of its steps are ticked, and no others. */
  async function expectTicks({ signIn: isSignedIn, chat: isUsedInChat }: { signIn: boolean; chat: boolean }) {
    await window.runCommand('Welcome: Open Walkthrough...');
    await window.quickInput.choose('Notion in your editor');
    const expected = {
      'Sign in to Notion': isSignedIn,
      'Use Notion in chat': isUsedInChat,
      'Use Notion in your agents': false,
    };
    for (const [title, isTicked] of Object.entries(expected)) {
      const step = window.page.locator('.getting-started-step').filter({ hasText: title });
      await step.locator(`[role=checkbox][aria-checked=${isTicked}]`).first().waitFor();
    }
    await consumer.command('workbench.action.closeActiveEditor');
  }

  test('before a sign-in, commands of other extensions for signed-in users are hidden, and no step of the walkthrough is done', async () => {
    await expectCommands();
    await expectTicks({ signIn: false, chat: false });
    // From now on the walkthrough is first opened after what it asks for was done.
    await window.reload();
    await consumer.waitForRestart();
  });

  test('a sign-in shows commands of other extensions for signed-in users, and ticks the first step of the walkthrough', async () => {
    await signIn(window);
    await expectCommands(forSignedIn);
    await expectTicks({ signIn: true, chat: false });
  });

  test('a second account shows commands of other extensions for several accounts', async () => {
    await signIn(window, { user: 'Ada Lovelace', workspace: 'Team Notes' });
    await expectCommands(forSeveralAccounts, forSignedIn);
  });

  test('opening chat leaves the chat step of the walkthrough open, and a tool that chat calls ticks it for good', async () => {
    await consumer.command('workbench.action.chat.open');
    await expectTicks({ signIn: true, chat: false });
    await window.runCommand('MCP: List Servers');
    await window.quickInput.choose('notion-engineering-wiki');
    await window.quickInput.choose('Start Server');
    await consumer.waitForTool('notion-fetch');
    const name = (await consumer.toolNames()).find((each) => each.includes('notion-fetch')) ?? assert.fail();
    const result = consumer.callTool(name, { id: 'self' });
    await window.dialog.click('Yes');
    await result;
    // The window's extension host may end before it has stored that.
    const journal = journalFolder(editor);
    const isStored = async () => (await readdir(journal)).some((name) => name.endsWith('.editor.used')) || undefined;
    assert.ok(await waitInFolder(journal, isStored), 'the use is stored');
    await window.reload();
    await consumer.waitForRestart();
    await expectTicks({ signIn: true, chat: true });
  });

  test('signing out hides commands of other extensions for signed-in users', async () => {
    await window.runCommand('Notion MCP: Sign Out');
    await window.quickInput.choose('Ada Lovelace (Engineering Wiki)');
    await window.dialog.click('Sign Out');
    await window.notifications.take('Signed out of Ada Lovelace (Engineering Wiki)');
    await expectCommands(forSignedIn);
    await window.runCommand('Notion MCP: Sign Out');
    await window.dialog.click('Sign Out');
    await window.notifications.take('Signed out of Ada Lovelace (Team Notes)');
    await expectCommands();
  });
});
