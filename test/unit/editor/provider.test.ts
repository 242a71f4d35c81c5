import assert from 'node:assert/strict';
import { test } from 'node:test';
import { files, withoutCode } from '../accounts/machine.ts';
import { openProvider, text } from './providerUnderTest.ts';

test('events are held until the editor’s first call, as the editor does not listen before, and then fired in order', async (t) => {
  const { window, provider, events, signIn } = await openProvider(t);
  const { grant } = await signIn();
  await window.accounts.renew(grant.id, { reason: 'asked' });
  assert.deepEqual(events, []);
  await provider.getSessions(undefined, {});
  assert.deepEqual(events, ["added ada (wiki) '', added ada (wiki) default", 'changed ada (wiki) default']);
  await provider.getSessions(undefined, {});
  await window.accounts.signOut(grant.id);
  assert.deepEqual(events.slice(2), ['removed ada (wiki) default']);
});

test('events stay held while the accounts cannot be loaded, and the call fails', async (t) => {
  let isBroken = true;
  const { window, provider, events, signIn } = await openProvider(
    t,
    {},
    {
      accounts: async () => (isBroken ? Promise.reject(new Error('the keyring is locked')) : window.accounts),
    },
  );
  await signIn();
  await assert.rejects(provider.getSessions(undefined, {}), /locked/);
  assert.deepEqual(events, []);
  isBroken = false;
  await provider.getSessions(undefined, {});
  assert.equal(events.length, 1);
});

test('a session for a request without scopes has none, and is announced with the empty one that the editor reads', async (t) => {
  const { provider, events } = await openProvider(t);
  const session = await provider.createSession([]);
  assert.deepEqual(session.scopes, []);
  assert.deepEqual(events, ["added ada (wiki) '', added ada (wiki) default"]);
  assert.deepEqual((await provider.getSessions([], {})).map(text), ['ada (wiki)']);
  assert.deepEqual((await provider.getSessions([''], {})).map(text), ["ada (wiki) ''"]);
});

test('a session is announced with exactly the requested scopes, also where the account has earlier ones', async (t) => {
  const { provider, events } = await openProvider(t);
  await provider.createSession(['pages']);
  const session = await provider.createSession(['comments']);
  assert.equal(text(session), 'ada (wiki) comments');
  assert.equal(events.at(-1), 'added ada (wiki) comments');
  assert.deepEqual((await provider.getSessions(['pages', 'comments'], {})).map(text), ['ada (wiki) pages comments']);
});

test('createSession passes on the label of an account of ours only, never one that an extension made up', async (t) => {
  const { provider, signIns, signIn } = await openProvider(t);
  await signIn();
  const [{ account } = assert.fail()] = await provider.getSessions(['default'], {});
  await provider.createSession(['default'], { account });
  await provider.createSession(['default'], { account: { id: 'made up', label: 'Click Continue to update' } });
  await provider.createSession(['default']);
  assert.deepEqual(
    signIns.map(([, label]) => label),
    ['ada (wiki)', undefined, undefined],
  );
});

test('createSession for an account returns the account that signed in, and leaves the requested one as it was', async (t) => {
  const { provider, browser, signIn, window } = await openProvider(t);
  const { grant } = await signIn('ada');
  const [{ account } = assert.fail()] = await provider.getSessions(['default'], {});
  browser.user = 'grace';
  const session = await provider.createSession(['default'], { account });
  assert.equal(session.account.label, 'grace (wiki)');
  assert.equal(window.accounts.find(grant.id)?.grant, grant);
});

test('createSession fails with the error of the sign-in and announces nothing', async (t) => {
  const { provider, events } = await openProvider(
    t,
    {},
    { signIn: () => Promise.reject(new Error('You denied access.')) },
  );
  await assert.rejects(provider.createSession(['default']), /You denied access\./);
  assert.deepEqual(events, []);
});

test('removeSession signs the account out, and does nothing for a session that is gone already', async (t) => {
  const { machine, provider, events, signIn, warnings, window } = await openProvider(t);
  const { grant } = await signIn();
  await provider.removeSession(grant.id);
  await provider.removeSession(grant.id);
  assert.deepEqual(window.labels, []);
  assert.deepEqual(events.slice(1), ['removed ada (wiki) default']);
  assert.equal(machine.server.revoked.length, 1);
  assert.deepEqual(warnings, []);
});

test('removeSession warns once for each account that the server could not be told of, however often the editor calls', async (t) => {
  const { machine, provider, signIn, warnings, window } = await openProvider(t);
  machine.server.cannotRevoke = true;
  const { id } = (await signIn('ada')).grant;
  await provider.removeSession(id);
  await provider.removeSession(id);
  assert.deepEqual(warnings, ['ada (wiki)']);
  const again = (await signIn('ada')).grant.id;
  const other = (await signIn('grace')).grant.id;
  await Promise.all([again, again, other].map((each) => provider.removeSession(each)));
  // The order in which the server could not be told varies.
  assert.deepEqual(warnings.sort(), ['ada (wiki)', 'ada (wiki)', 'grace (wiki)']);
  assert.deepEqual(window.labels, []);
});

test('removeSession warns once of an account that has two sessions, which the editor removes one after the other', async (t) => {
  // Sign-ins at the same moment that cannot get the lock store the account twice.
  const withoutLocks = { createOpen: () => Promise.reject(new Error('EROFS')) };
  const { machine, provider, signIn, warnings, window } = await openProvider(t, {
    files: { ...files, ...withoutLocks },
  });
  machine.server.cannotRevoke = true;
  await Promise.all([signIn(), signIn()]);
  assert.deepEqual(window.labels, ['ada (wiki)', 'ada (wiki)']);
  const ids = window.accounts.list().map(({ grant }) => grant.id);
  for (const id of ids) {
    await provider.removeSession(id);
  }
  assert.deepEqual(warnings.map(withoutCode), ['ada (wiki)']);
  assert.deepEqual(window.labels, []);
});

test('removeSession does not wait until the user has closed its warning', { timeout: 10_000 }, async (t) => {
  const { machine, provider, signIn } = await openProvider(
    t,
    {},
    { warnNotRevoked: () => new Promise(() => undefined) },
  );
  machine.server.cannotRevoke = true;
  const { grant } = await signIn();
  await provider.removeSession(grant.id);
});

test('a removeSession that fails says so in a plain sentence, and neither it nor the log has the error’s message', async (t) => {
  const { provider, logLines } = await openProvider(
    t,
    {},
    {
      accounts: async () =>
        ({
          list: () => [],
          find: () => ({ grant: { label: 'ada' } }),
          signOut: () => Promise.reject(new TypeError('EACCES /home/ada')),
        }) as never,
    },
  );
  await assert.rejects(provider.removeSession('grant'), {
    message: 'The account could not be signed out on this computer. Try again.',
  });
  assert.match(logLines.join('\n'), /A sign-out failed unexpectedly\. name=TypeError/);
  assert.ok(!logLines.join().includes('ada'));
});
