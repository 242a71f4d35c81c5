import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import { ScriptedWindow } from './scriptedWindow.ts';

test('a reconnect signs in with the scopes of the account and names it while the browser is open', async (t) => {
  const window = await ScriptedWindow.open(t);
  await window.accounts.storeSignIn({ ...window.machine.server.signIn('ada'), askedScopes: ['pages', 'comments'] });
  const [account = assert.fail()] = window.accounts.list();
  window.next.push((request) => {
    request.onStage('waitingForBrowser', 'mcp.example');
    return window.as('ada')(request);
  });
  await window.flow.reconnect(account);
  assert.deepEqual(window.requests[0]?.scopes, ['pages', 'comments']);
  const { reports } = await window.editor.progress.take();
  assert.deepEqual(reports, ['Choose ada (wiki) and allow access at mcp.example in your browser…']);
  assert.match(await window.message(), /^information: Connected as ada in wiki\./);
});

test('a reconnect by another user says which account is still to be reconnected, and can repeat or undo the sign-in', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn('ada');
  window.next.push(window.as('grace'));
  await window.flow.reconnect(window.accounts.find(id) ?? assert.fail());
  const message = await window.editor.messages.take();
  assert.equal(
    message.text,
    'warning: You signed in as grace (wiki), so ada (wiki) was not reconnected. Try again and choose ada (wiki) in the browser. [Reconnect] [Undo]',
  );
  assert.deepEqual(window.labels, ['ada (wiki)', 'grace (wiki)']);
  window.next.push(window.as('grace'));
  message.pick('Reconnect');
  // Now `grace` was there already, so this sign-in cannot be undone.
  const again = await window.editor.messages.take();
  assert.match(again.text, /^warning: You signed in as grace \(wiki\), .* \[Reconnect\]$/);
  assert.equal(window.requests.length, 2);
});

test('a reconnect by another user is undone without touching the account that was to be reconnected', async (t) => {
  const window = await ScriptedWindow.open(t);
  const grant = await window.signedIn('ada');
  window.next.push(window.as('grace'));
  await window.flow.reconnect(window.accounts.find(grant.id) ?? assert.fail());
  await window.pick('Undo');
  assert.equal(await window.message(), 'information: Signed out of grace (wiki).');
  assert.equal(window.accounts.find(grant.id)?.grant, grant);
});

test('a reconnect of an account without a known identity is a success, whichever user signs in', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn();
  await window.flow.reconnect(window.accounts.find(id) ?? assert.fail());
  assert.match(await window.message(), /^information: Connected as ada in wiki\./);
});

test('a reconnect that fails shows why and does not reject', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn('ada');
  window.next.push(() => Promise.reject(new Failure('accessDenied', { step: 'authorization', code: 'access_denied' })));
  await window.flow.reconnect(window.accounts.find(id) ?? assert.fail());
  assert.match(await window.message(), /^information: You denied access/);
});

test('Reconnect in an outdated message signs in only if the account still needs it', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn('ada');
  const account = window.accounts.find(id) ?? assert.fail();
  await window.flow.reconnectIfNeeded(account);
  assert.equal(
    await window.message(),
    'information: ada (wiki) is signed in again already; there is nothing left to do. [Manage Accounts]',
  );
  assert.equal(window.requests.length, 0);

  await window.end({ id });
  await window.flow.reconnectIfNeeded(account);
  assert.match(await window.message(), /^information: Connected as ada in wiki\./);
  assert.equal(window.requests.length, 1);

  await window.accounts.signOut(id);
  await window.flow.reconnectIfNeeded(account);
  const message = await window.editor.messages.take();
  assert.equal(message.text, 'information: ada (wiki) was signed out of Notion. Sign in again to use it. [Sign In]');
  message.pick('Sign In');
  assert.equal(await window.editor.executed.take(), 'notionMcp.signIn');
});

test('Reconnect signs in also while the end of a grant waits for its confirmation', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn('ada');
  const { server } = window.machine;
  await window.accounts.renew(id, { reason: 'asked' });
  server.next.push(() => {
    throw new Failure('invalidGrant', { step: 'token', code: 'invalid_grant', status: 400 });
  });
  await assert.rejects(window.accounts.renew(id, { reason: 'asked' }), { kind: 'transient' });
  await window.flow.reconnectIfNeeded(window.accounts.find(id) ?? assert.fail());
  assert.equal(window.requests.length, 1);
});
