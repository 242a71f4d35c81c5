import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import { openCommands } from './commandParts.ts';
import type { ScriptedWindow } from './scriptedWindow.ts';

const { refresh, signIn, signOut, testConnection } = await import('../../../src/editor/commands.ts');
const { copyDiagnostics } = await import('../../../src/editor/copyDiagnostics.ts');
const { reportUnexpected } = await import('../../../src/editor/messages/show.ts');

/** Holds the response to the next refresh request; resolves once the request has arrived. */
function holdRenewal(window: ScriptedWindow): { sent: Promise<void>; release: () => void } {
  const sent = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  window.machine.server.next.push(async (_, respond) => {
    sent.resolve();
    await held.promise;
    return respond();
  });
  return { sent: sent.promise, release: held.resolve };
}

function unreachable(): never {
  throw new Failure('transient', { step: 'token', code: 'unreachable', host: 'mcp.example' });
}

const forAccount = { 'Sign Out': signOut, 'Refresh Session': refresh, 'Test Connection': testConnection };

for (const [name, command] of Object.entries(forAccount)) {
  test(`${name} without an account offers a sign-in`, async (t) => {
    const { window, parts } = await openCommands(t);
    await command(parts);
    const message = await window.editor.messages.take();
    assert.equal(message.text, 'information: You are not signed in to Notion. Sign in first. [Sign In]');
    message.pick('Sign In');
    assert.equal(await window.editor.executed.take(), 'notionMcp.signIn');
  });

  test(`${name} with accounts of another server only says that the setting has changed`, async (t) => {
    const { window, parts } = await openCommands(t);
    await window.signedIn('ada');
    window.accounts.setServerUrl('https://other.example/mcp');
    await command(parts);
    const buttons =
      /^information: Your accounts belong to a different server .* \[Sign In\] \[Open Setting\] \[Manage Accounts\]$/;
    assert.match(await window.message(), buttons);
    assert.equal(window.editor.quickPicks.size, 0);
  });

  test(`${name} with several accounts does nothing if the user chooses none`, async (t) => {
    const { window, parts } = await openCommands(t);
    await window.signedIn('ada');
    await window.signedIn('grace');
    const running = command(parts);
    const question = await window.editor.quickPicks.take();
    assert.match(question.text, / which account\? \[ada \(wiki\)\] \[grace \(wiki\)\]$/);
    question.pick();
    await running;
    assert.equal(window.editor.messages.size, 0);
    assert.deepEqual(window.machine.server.refreshes, []);
    assert.equal(window.labels.length, 2);
  });
}

test('Refresh Session renews the only account without a question', async (t) => {
  const { window, parts } = await openCommands(t);
  await window.signedIn('ada');
  await refresh(parts);
  assert.equal(await window.message(), 'information: Refreshed ada (wiki).');
  assert.equal(window.machine.server.refreshes.length, 1);
  assert.equal(window.editor.progress.size, 0, 'a fast renewal needs no progress');
});

test('Refresh Session renews the one of several accounts that the user chooses', async (t) => {
  const { window, parts } = await openCommands(t);
  await window.signedIn('ada');
  const { id } = await window.signedIn('grace');
  const running = refresh(parts);
  (await window.editor.quickPicks.take()).pick('grace (wiki)');
  await running;
  assert.equal(await window.message(), 'information: Refreshed grace (wiki).');
  assert.equal(window.accounts.find(id)?.grant.generation, 2);
  assert.equal(window.machine.server.refreshes.length, 1);
});

test('Cancel on the progress of a long renewal stops only the waiting: the renewal goes on and ends without a message', async (t) => {
  const { window, parts } = await openCommands(t);
  await window.signedIn('ada');
  const { sent, release } = holdRenewal(window);
  const running = refresh(parts);
  await sent;
  window.clock.advance(500);
  const progress = await window.editor.progress.take();
  assert.equal(progress.title, 'Refreshing ada (wiki)…');
  progress.cancel();
  await running;
  assert.equal(await window.message(), 'information: Still refreshing ada (wiki) in the background. [Show Log]');
  release();
  await window.waitForEvent('changed ada (wiki)');
  assert.equal(window.editor.messages.size, 0);
});

test('the progress of a long renewal is closed when the renewal ends', async (t) => {
  const { window, parts } = await openCommands(t);
  await window.signedIn('ada');
  const { sent, release } = holdRenewal(window);
  const running = refresh(parts);
  await sent;
  window.clock.advance(500);
  const progress = await window.editor.progress.take();
  release();
  await running;
  assert.equal(await window.message(), 'information: Refreshed ada (wiki).');
  await progress.closed;
});

test('a renewal that fails for the moment says why, with the account’s name, and Try Again repeats it', async (t) => {
  const { window, parts } = await openCommands(t);
  const { id } = await window.signedIn('ada');
  window.machine.server.next.push(unreachable);
  await refresh(parts);
  const message = await window.editor.messages.take();
  assert.match(message.text, /^error: ada \(wiki\): mcp\.example cannot be reached\. .* \[Try Again\]/);
  message.pick('Try Again');
  assert.equal(await window.message(), 'information: Refreshed ada (wiki).');
  assert.equal(window.accounts.find(id)?.state, 'healthy');
});

test('Refresh Session shows one message for an account whose grant has ended, and again at each further call', async (t) => {
  const { window, parts } = await openCommands(t);
  const grant = await window.signedIn('ada');
  window.endAtNotion(grant);
  for (const _ of [1, 2]) {
    await refresh(parts);
    assert.equal(
      await window.message(),
      'warning: Notion ended the sign-in of ada (wiki). Sign in again. [Reconnect] [Manage Accounts]',
    );
    assert.equal(window.editor.messages.size, 0);
  }
  assert.equal(window.machine.server.refreshes.length, 1, 'an ended refresh token is not sent again');
});

test('Refresh Session offers to reconnect an account whose end waits for its confirmation', async (t) => {
  const { window, parts } = await openCommands(t);
  await window.signedIn('ada');
  await refresh(parts);
  await window.pick();
  window.machine.server.next.push(() => {
    throw new Failure('invalidGrant', { step: 'token', code: 'invalid_grant', host: 'mcp.example' });
  });
  await refresh(parts);
  const message = await window.editor.messages.take();
  assert.match(message.text, /^error: ada \(wiki\): .* \[Reconnect\] \[Show Log\]$/);
  message.pick('Reconnect');
  assert.match(await window.message(), /^information: Signed in as ada \(wiki\)\./);
});

test('Refresh Session says so if the account is signed out while the user chooses', async (t) => {
  const { window, parts } = await openCommands(t);
  const { id } = await window.signedIn('ada');
  await window.signedIn('grace');
  const running = refresh(parts);
  const question = await window.editor.quickPicks.take();
  await window.accounts.signOut(id);
  question.pick('ada (wiki)');
  await running;
  assert.equal(
    await window.message(),
    'error: ada (wiki): This account was signed out of Notion. Sign in again to use it. [Sign In]',
  );
});

test('Sign Out asks first, and keeps the account if the user closes the question', async (t) => {
  const { window, parts } = await openCommands(t);
  await window.signedIn('ada');
  const kept = signOut(parts);
  await window.pick();
  await kept;
  assert.deepEqual(window.labels, ['ada (wiki)']);
  const gone = signOut(parts);
  await window.pick('Sign Out');
  await gone;
  assert.equal(await window.message(), 'information: Signed out of ada (wiki).');
  assert.deepEqual(window.labels, []);
});

test('Sign Out says so if Notion could not be told', async (t) => {
  const { window, parts } = await openCommands(t);
  await window.signedIn('ada');
  window.machine.server.cannotRevoke = true;
  const running = signOut(parts);
  await window.pick('Sign Out');
  await running;
  assert.match(await window.message(), /^warning: Signed out of ada \(wiki\) on this computer, but .* \[Show Log\]$/);
  assert.deepEqual(window.labels, []);
});

test('Sign In does not fail where the sign-in does, which has shown its message', async (t) => {
  const { window, parts } = await openCommands(t);
  window.next.push(() => Promise.reject(new Failure('accessDenied', { step: 'authorization', code: 'access_denied' })));
  await signIn(parts);
  assert.match(await window.message(), /^information: You denied access/);
  assert.deepEqual(window.requests[0]?.scopes, ['default']);
});

test('an unexpected error of a command is shown and logged without its message, and Try Again runs the command again', async (t) => {
  let isBroken = true;
  const { window, parts } = await openCommands(t, {
    diagnostics: async () => (isBroken ? Promise.reject(new RangeError('/home/ada')) : 'the report'),
  });
  await reportUnexpected(window.log, () => copyDiagnostics(parts));
  const message = await window.editor.messages.take();
  assert.match(message.text, /^error: Something went wrong .* \[Try Again\] \[Copy Diagnostics\] \[Show Log\]$/);
  const log = window.logLines.join('\n');
  assert.match(log, /An action failed unexpectedly\. name=RangeError/);
  assert.ok(!log.includes('ada') && !message.text.includes('ada'));
  isBroken = false;
  message.pick('Try Again');
  assert.match(await window.message(), /^information: Diagnostics copied\./);
});

test('Refresh Session of an account that the server keeps refusing says so each time, with a button to reconnect', async (t) => {
  const { window, parts } = await openCommands(t);
  const { id } = await window.signedIn('ada');
  await window.refuse(id);
  assert.match(await window.message(), /^warning: mcp\.example refuses to renew/);
  window.machine.server.next.push(() => {
    throw new Failure('serverRejected', { step: 'token', code: 'invalid_scope', status: 400, host: 'mcp.example' });
  });
  await refresh(parts);
  const message = await window.editor.messages.take();
  assert.match(message.text, /^warning: mcp\.example refuses to renew .* \[Reconnect\] \[Manage Accounts\]$/);
  message.pick('Reconnect');
  assert.match(await window.message(), /^information: Signed in as ada \(wiki\)\./);
  assert.equal(window.accounts.find(id)?.state, 'healthy');
});
