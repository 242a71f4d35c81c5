import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import { MovableClock } from '../accounts/machine.ts';
import { type Course, fails, ScriptedWindow } from './scriptedWindow.ts';

/** Passes so fast that a window waits for the lock of another window only once before it goes on without it. */
class FastClock extends MovableClock {
  override after(delayMs: number, action: () => void): () => void {
    const stop = super.after(delayMs, action);
    this.aheadMs += 15_000;
    return stop;
  }
}

/** A window whose account `ada` is locked, as another window waits for the response to a renewal of it. */
async function openLocked(t: TestContext) {
  const window = await ScriptedWindow.open(t, { clock: new FastClock() });
  const { id } = await window.signedIn('ada');
  const { machine } = window;
  const other = await machine.open();
  const sent = Promise.withResolvers<void>();
  const response = Promise.withResolvers<void>();
  machine.server.next.push(async (_, respond) => {
    sent.resolve();
    await response.promise;
    return respond();
  });
  const renewing = other.accounts.renew(id, { reason: 'asked' }).catch(() => undefined);
  await sent.promise;
  const unlock = async (): Promise<void> => {
    response.resolve();
    await renewing;
  };
  return { window, account: window.accounts.find(id) ?? assert.fail(), unlock };
}

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
  assert.match(await window.message(), /^information: Signed in as ada \(wiki\)\./);
});

test('a reconnect by another user says who signed in instead of whom, and can repeat the sign-in', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn('ada');
  window.next.push(window.as('grace'));
  await window.flow.reconnect(window.accounts.find(id) ?? assert.fail());
  const message = await window.editor.messages.take();
  assert.equal(
    message.text,
    'warning: You signed in as grace (wiki), not as ada (wiki). To sign in as ada (wiki), try again and choose it in the browser. [Reconnect] [Manage Accounts]',
  );
  assert.deepEqual(window.labels, ['ada (wiki)', 'grace (wiki)']);
  window.next.push(window.as('grace'));
  message.pick('Reconnect');
  assert.match(await window.message(), /^warning: You signed in as grace \(wiki\), not as ada/);
  assert.equal(window.requests.length, 2);
});

test('a reconnect is a success also where another window holds the account’s lock, so that it gets another id', async (t) => {
  const { window, account, unlock } = await openLocked(t);
  await window.flow.reconnect(account);
  assert.match(await window.message(), /^information: Signed in as ada \(wiki\)\./);
  await unlock();
  assert.deepEqual(window.labels, ['ada (wiki)']);
  assert.notEqual(window.accounts.list()[0]?.grant.id, account.grant.id);

  // The message is outdated, but the account that it is about is not signed out.
  await window.flow.reconnectIfNeeded(account);
  assert.match(await window.message(), /^information: ada \(wiki\) is already signed in again/);
});

test('a reconnect by the same user in another workspace signs in another account', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn('ada');
  window.next.push(() => window.accounts.storeSignIn(window.machine.server.signIn('ada', 'notes')));
  await window.flow.reconnect(window.accounts.find(id) ?? assert.fail());
  assert.match(await window.message(), /^warning: You signed in as ada \(notes\), not as ada \(wiki\)\./);
});

test('a reconnect by a user whose identity remains unknown is a success', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn('ada');
  window.next.push(window.as());
  await window.flow.reconnect(window.accounts.find(id) ?? assert.fail());
  assert.match(await window.message(), /^information: Signed in to Notion\. /);
});

test('a reconnect of an account without a known identity is a success, whichever user signs in', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn();
  await window.flow.reconnect(window.accounts.find(id) ?? assert.fail());
  assert.match(await window.message(), /^information: Signed in as ada \(wiki\)\./);
});

test('a reconnect that fails shows why and does not reject', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn('ada');
  window.next.push(() => Promise.reject(new Failure('accessDenied', { step: 'authorization', code: 'access_denied' })));
  await window.flow.reconnect(window.accounts.find(id) ?? assert.fail());
  assert.match(await window.message(), /^information: You denied access/);
});

for (const [kind, code, button] of [
  ['accessDenied', 'access_denied', 'Try Again'],
  ['cancelled', 'browser_limit', 'Try Again'],
  ['transient', 'unreachable', 'Try Again'],
  ['serverRejected', 'invalid_request', 'Try Again'],
  ['invalidGrant', 'ended', 'Sign In'],
  ['invalidClient', 'invalid_client', 'Sign In'],
  ['unexpected', undefined, 'Try Again'],
] as const) {
  test(`${button} after a reconnect that failed (${kind}) reconnects the same account, also the second time`, async (t) => {
    const window = await ScriptedWindow.open(t);
    await window.accounts.storeSignIn({ ...window.machine.server.signIn('ada'), askedScopes: ['pages', 'comments'] });
    const failing: Course = kind === 'unexpected' ? () => Promise.reject(new TypeError()) : fails(kind, code);
    window.next.push(failing, failing, (request) => {
      request.onStage('waitingForBrowser', 'mcp.example');
      return window.as('grace')(request);
    });
    await window.flow.reconnect(window.accounts.list()[0] ?? assert.fail());
    await window.pick(button);
    await window.pick(button);
    assert.match(await window.message(), /^warning: You signed in as grace \(wiki\), not as ada \(wiki\)/);
    assert.deepEqual(
      window.requests.map((request) => request.scopes),
      Array(3).fill(['pages', 'comments']),
    );
    await window.editor.progress.take();
    await window.editor.progress.take();
    const { reports } = await window.editor.progress.take();
    assert.deepEqual(reports, ['Choose ada (wiki) and allow access at mcp.example in your browser…']);
  });
}

test('Reconnect in an outdated message signs in only if the account still needs it', async (t) => {
  const window = await ScriptedWindow.open(t);
  const { id } = await window.signedIn('ada');
  const account = window.accounts.find(id) ?? assert.fail();
  await window.flow.reconnectIfNeeded(account);
  assert.equal(
    await window.message(),
    'information: ada (wiki) is already signed in again. There is nothing left to do. [Manage Accounts]',
  );
  assert.equal(window.requests.length, 0);

  await window.end({ id });
  await window.flow.reconnectIfNeeded(account);
  assert.match(await window.message(), /^information: Signed in as ada \(wiki\)\./);
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

/** A sign-in of `ada` that is granted these scopes. */
function granting(window: ScriptedWindow, scopes: string[]): Course {
  return () => {
    const { tokens, ...rest } = window.machine.server.signIn('ada');
    return window.accounts.storeSignIn({ ...rest, tokens: { ...tokens, scopes } });
  };
}

/** A window whose account was granted `read` and lacks `write`. */
async function openLackingScopes(t: TestContext) {
  const window = await ScriptedWindow.open(t);
  window.next.push(granting(window, ['read']));
  const { grant } = await window.flow.run(['default']);
  await window.message();
  window.stepUps.demand(grant.id, ['write']);
  return { window, account: window.accounts.find(grant.id) ?? assert.fail() };
}

test('A17: a reconnect requests the scopes that the account has and those that it lacks, once', async (t) => {
  const { window, account } = await openLackingScopes(t);
  window.next.push(granting(window, ['read', 'write']));
  await window.flow.reconnectIfNeeded(account);
  assert.match(await window.message(), /^information: Signed in as ada \(wiki\)\./);
  await window.flow.reconnectIfNeeded(account);
  assert.match(await window.message(), /^information: ada \(wiki\) is already signed in again/);
  await window.flow.reconnect(account);
  const requested = window.requests.map(({ stepUpScopes }) => stepUpScopes);
  assert.deepEqual(requested, [undefined, ['read', 'write'], ['read', 'write']]);
});

test('a sign-in that an extension requests for an account requests the scopes that the account lacks, and another one does not', async (t) => {
  const { window, account } = await openLackingScopes(t);
  window.next.push(granting(window, ['read']), granting(window, ['read', 'write']));
  await window.flow.run(['default']);
  await window.flow.run(['default'], account.grant.label);
  const requested = window.requests.map(({ stepUpScopes }) => stepUpScopes);
  assert.deepEqual(requested, [undefined, undefined, ['read', 'write']]);
});

test('scopes stay lacking after a sign-in that failed or was of another account', async (t) => {
  const { window, account } = await openLackingScopes(t);
  window.next.push(fails('cancelled', 'cancelled'), window.as('grace'), window.as('ada'));
  for (let tries = 1; tries <= 3; tries += 1) {
    await window.flow.reconnect(account);
  }
  const requested = window.requests.slice(1).map(({ stepUpScopes }) => stepUpScopes);
  assert.deepEqual(requested, Array(3).fill(['read', 'write']));
  assert.equal(window.stepUps.isOpen(account.grant.id), false);
});

test('Try Again after the server refused the scopes of a reconnect requests none but its own', async (t) => {
  const { window, account } = await openLackingScopes(t);
  window.next.push(fails('serverRejected', 'invalid_scope'));
  await window.flow.reconnect(account);
  await window.pick('Try Again');
  await window.editor.messages.take();
  const requested = window.requests.slice(1).map(({ stepUpScopes }) => stepUpScopes);
  assert.deepEqual(requested, [['read', 'write'], undefined]);
});

test('a sign-in that would take access from the account says that nothing changed', async (t) => {
  const { window, account } = await openLackingScopes(t);
  window.next.push(granting(window, ['comments']));
  await assert.rejects(window.flow.run(['default']));
  assert.equal(
    await window.message(),
    'information: This account has more access than the new sign-in would give it, so nothing changed. Reconnect it, or sign out first. [Manage Accounts]',
  );
  assert.equal(window.accounts.find(account.grant.id)?.grant, account.grant);
});
