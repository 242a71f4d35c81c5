import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { StorageProblem } from '../../../src/accounts/accountState.ts';
import type { Account } from '../../../src/accounts/registry.ts';
import { Queue } from '../../e2e/driver/queue.ts';
import { ScriptedWindow } from './scriptedWindow.ts';
import { MemoryMemento, openEditor, StatusBarAlignment } from './vscode.ts';

const { gatewayReminders, SignInReminder, warnOfStorageProblems } = await import('../../../src/editor/reminders.ts');

const adaEnded = 'warning: Notion ended the sign-in of ada (wiki). Sign in again. [Reconnect] [Manage Accounts]';

async function open(t: TestContext) {
  const window = await ScriptedWindow.open(t);
  const { accounts, stepUps, memory, editor } = window;
  /** The accounts whose Reconnect button was clicked. */
  const reconnected = new Queue<Account>();
  const reconnect = async (account: Account) => reconnected.put(account);
  const openReminder = () => {
    const reminder = new SignInReminder({ accounts, memory, reconnect });
    t.after(() => reminder.dispose());
    return reminder;
  };
  const reminder = openReminder();
  const reminders = gatewayReminders({ accounts, reconnect, reminder, stepUps });
  return { window, editor, reconnected, reminder, openReminder, reminders };
}

test('the status bar shows an item exactly while an account needs a sign-in', async (t) => {
  const { window, editor } = await open(t);
  const { id } = await window.signedIn('ada');
  assert.equal(editor.statusBar.size, 0);
  await window.end({ id });
  const [item] = editor.statusBar;
  assert.equal(item?.text, '$(warning) Notion: sign in');
  assert.equal(item.tooltip, 'Notion ended the sign-in of ada (wiki). Sign in again.');
  assert.deepEqual(item.accessibilityInformation, { label: item.tooltip, role: 'button' });
  assert.equal(item.alignment, StatusBarAlignment.Left);
  assert.equal(item.command, 'notionMcp.manageAccounts');
  await window.signedIn('ada');
  assert.equal(editor.statusBar.size, 0);
});

test('a window without the focus reminds once it has it, and not if another window has done so', async (t) => {
  const { window, editor, openReminder } = await open(t);
  const { id } = await window.signedIn('ada');
  openReminder();
  editor.isFocused = false;
  await window.end({ id });
  assert.equal(editor.statusBar.size, 2, 'each window has its status bar item');
  assert.equal(editor.messages.size, 0);
  editor.isFocused = true;
  editor.focusChanges.fire({ focused: true });
  assert.equal(await window.message(), adaEnded);
  editor.focusChanges.fire({ focused: false });
  editor.focusChanges.fire({ focused: true });
  assert.equal(editor.messages.size, 0);
});

test('a reminder that waits for the focus is not shown after the account was signed in again', async (t) => {
  const { window, editor } = await open(t);
  const { id } = await window.signedIn('ada');
  editor.isFocused = false;
  await window.end({ id });
  await window.signedIn('ada');
  editor.isFocused = true;
  editor.focusChanges.fire({ focused: true });
  assert.equal(editor.messages.size, 0);
});

test('one status bar item names all accounts that need a sign-in, and goes with the last of them', async (t) => {
  const { window, editor } = await open(t);
  const { id } = await window.signedIn('ada');
  await window.end({ id });
  const grace = await window.signedIn('grace');
  await window.end(grace);
  const [item, ...others] = editor.statusBar;
  assert.deepEqual(others, []);
  assert.equal(
    item?.tooltip,
    'Notion ended the sign-in of ada (wiki). Sign in again.\nNotion ended the sign-in of grace (wiki). Sign in again.',
  );
  await window.signedIn('ada');
  assert.equal(item.tooltip, 'Notion ended the sign-in of grace (wiki). Sign in again.');
  await window.accounts.signOut(grace.id);
  assert.equal(editor.statusBar.size, 0);
});

test('the status bar item is there at the start if an account needs a sign-in, and hidden while it belongs to another server', async (t) => {
  const { window, editor, openReminder, reminder } = await open(t);
  reminder.dispose();
  await window.end(await window.signedIn('ada'));
  assert.equal(editor.statusBar.size, 0);
  openReminder().show();
  assert.equal(editor.statusBar.size, 1);
  window.accounts.setServerUrl('https://other.example/mcp');
  assert.equal(editor.statusBar.size, 0);
});

test('a disposed reminder removes its status bar item and shows none again', async (t) => {
  const { window, editor, reminder } = await open(t);
  await window.end(await window.signedIn('ada'));
  reminder.dispose();
  assert.equal(editor.statusBar.size, 0);
  await window.end(await window.signedIn('grace'));
  assert.equal(editor.statusBar.size, 0);
});

test('the user is reminded once when a grant ends, also after a reload, and again on request', async (t) => {
  const { window, editor, reminder, openReminder } = await open(t);
  const { id } = await window.signedIn('ada');
  await window.end({ id });
  assert.equal(await window.message(), adaEnded);
  reminder.remind(id);
  openReminder().remind(id);
  assert.equal(editor.messages.size, 0);
  reminder.remind(id, { again: true });
  assert.equal(await window.message(), adaEnded);
  assert.equal(editor.messages.size, 0);
});

test('the user is reminded anew when the same account needs a sign-in once more', async (t) => {
  const { window, editor } = await open(t);
  const { id } = await window.signedIn('ada');
  for (const _ of [1, 2]) {
    await window.end({ id });
    assert.equal(await window.message(), adaEnded);
    await window.signedIn('ada');
  }
  assert.equal(editor.messages.size, 0);
});

test('no more than the latest 50 reminders are remembered', async (t) => {
  const { window } = await open(t);
  await window.end(await window.signedIn('ada'));
  const [key = ''] = window.memory.keys();
  await window.memory.update(
    key,
    Array.from({ length: 50 }, (_, index) => `earlier:${index}`),
  );
  const { id } = await window.signedIn('grace');
  await window.end({ id });
  const remembered = window.memory.get<string[]>(key, []);
  assert.equal(remembered.length, 50);
  assert.deepEqual([remembered[0], remembered.at(-1)], ['earlier:1', `${id}:2`]);
});

test('there is no reminder of an account that is signed in or gone', async (t) => {
  const { window, editor, reminder } = await open(t);
  const { id } = await window.signedIn('ada');
  reminder.remind(id, { again: true });
  await window.accounts.signOut(id);
  reminder.remind(id, { again: true });
  assert.equal(editor.messages.size, 0);
});

test('Reconnect in a reminder signs its account in, and Manage Accounts opens the accounts', async (t) => {
  const { window, editor, reminder, reconnected } = await open(t);
  const { id } = await window.signedIn('ada');
  await window.end({ id });
  await window.pick('Manage Accounts');
  assert.equal(await editor.executed.take(), 'notionMcp.manageAccounts');
  assert.equal(reconnected.size, 0);
  reminder.remind(id, { again: true });
  await window.pick('Reconnect');
  assert.equal((await reconnected.take()).grant.id, id);
});

test('an account that the server refuses to renew is named with its reason once, and in the status bar until it renews', async (t) => {
  const { window, editor, reconnected } = await open(t);
  const { id } = await window.signedIn('ada');
  const refused =
    'mcp.example refuses to renew the sign-in of ada (wiki) (invalid_scope). Sign in again, or wait: it will be tried again from time to time.';
  await window.refuse(id);
  const message = await editor.messages.take();
  assert.equal(message.text, `warning: ${refused} [Reconnect] [Manage Accounts]`);
  assert.equal([...editor.statusBar][0]?.tooltip, refused);
  message.pick('Reconnect');
  assert.equal((await reconnected.take()).grant.id, id);
  await window.refuse(id);
  assert.equal(editor.messages.size, 0);
  await window.accounts.renew(id, { reason: 'asked' });
  assert.equal(editor.statusBar.size, 0);
});

test('a lost key is reported once for ever, other problems at each start', async () => {
  const editor = openEditor();
  const memory = new MemoryMemento();
  const begins = async (problems: StorageProblem[]) => {
    warnOfStorageProblems(new Set(problems), { memory, home: 'keyring' });
    const texts: string[] = [];
    while (editor.messages.size > 0) {
      texts.push((await editor.messages.take()).text);
    }
    return texts.map((text) => text.split(' ').slice(0, 4).join(' '));
  };
  assert.deepEqual(await begins(['keyLost', 'damaged']), ['warning: Your Notion sign-ins', 'warning: A stored Notion']);
  assert.deepEqual(await begins(['keyLost', 'damaged', 'stale']), [
    'warning: A stored Notion',
    'warning: Another window has',
  ]);
});

test('a call by chat to an account that needs a sign-in reminds the user no more often than the end of its grant', async (t) => {
  const { window, editor, reminders } = await open(t);
  const { id } = await window.signedIn('ada');
  reminders.signInNeeded(id);
  await window.end({ id });
  reminders.signInNeeded(id);
  assert.equal(await window.message(), adaEnded);
  assert.equal(editor.messages.size, 0);
});

test('a tool that needs more access is reported with its account and, if known, the access, and Reconnect is of that very account', async (t) => {
  const { window, reminders, reconnected } = await open(t);
  const { id } = await window.signedIn('ada');
  await window.signedIn('grace');
  window.stepUps.demand(id, ['pages', 'comments']);
  reminders.insufficientScope(id, []);
  reminders.insufficientScope(id, ['pages', 'comments']);
  const buttons = 'Sign in again to allow it. [Reconnect] [Show Log]';
  assert.equal(await window.message(), `warning: A tool needs more access than ada (wiki) has. ${buttons}`);
  const message = await window.editor.messages.take();
  assert.equal(message.text, `warning: A tool needs more access (pages, comments) than ada (wiki) has. ${buttons}`);
  message.pick('Reconnect');
  assert.equal((await reconnected.take()).grant.id, id);
});

test('access that an account lacks also after sign-ins for it is reported without the advice to sign in', async (t) => {
  const { window, reminders } = await open(t);
  const { id } = await window.signedIn('ada');
  for (let signIns = 0; signIns < 3; signIns += 1) {
    window.stepUps.demand(id, ['pages']);
    window.stepUps.signedIn(id, ['pages']);
  }
  reminders.insufficientScope(id, ['pages']);
  reminders.insufficientScope(id, []);
  const rest = 'also after signing in again. Use another account for it. [Manage Accounts] [Show Log]';
  assert.equal(await window.message(), `warning: A tool needs more access (pages) than ada (wiki) gets, ${rest}`);
  assert.equal(await window.message(), `warning: A tool needs more access than ada (wiki) gets, ${rest}`);
});
