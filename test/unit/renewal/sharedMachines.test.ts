import assert from 'node:assert/strict';
import { test } from 'node:test';
import { files, Machine } from '../accounts/machine.ts';

const ada = 'ada (wiki)';
const lifeMs = 3_600_000;
const withoutWatch = { ...files, watch: () => ({ close: () => undefined }) };

// Two machines that share the secrets but not a disk: the extension also runs on a remote host.

test('a second machine that shares the secrets has the account and leaves renewals to the first machine', async (t) => {
  const machine = await Machine.start(t);
  const one = await machine.open();
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const other = await machine.open({ directory: `${machine.directory}-other` });
  assert.deepEqual(other.labels, [ada]);
  machine.clock.aheadMs = lifeMs - 30_000;
  assert.equal(
    (await other.accounts.fresh(grant.id, 5_000)).generation,
    1,
    'the token is valid for another half minute',
  );
  await other.accounts.renew(grant.id, { reason: 'expiry' });
  assert.deepEqual(machine.server.refreshes, []);
  await one.accounts.wakeUp();
  assert.equal(machine.server.refreshes.length, 1);
});

test('each of two machines adopts the tokens that the other one renewed, without a request', async (t) => {
  const machine = await Machine.start(t);
  const one = await machine.open();
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const other = await machine.open({ directory: `${machine.directory}-other` });
  // A renewal that the user requests runs on any machine, which then becomes the one that renews the account.
  for (const [renewing, adopting] of [
    [one, other],
    [other, one],
    [one, other],
  ] as const) {
    await renewing.accounts.wakeUp();
    const renewed = await renewing.accounts.renew(grant.id, { reason: 'asked' });
    await adopting.accounts.wakeUp();
    assert.equal(adopting.only().grant.generation, renewed.generation);
    assert.ok(adopting.only().grant.tokens.accessToken.equals(renewed.tokens.accessToken));
  }
  assert.equal(machine.server.refreshes.length, 3);
});

test('a second machine with an expired token reads the storage again and adopts a renewal found there', async (t) => {
  const machine = await Machine.start(t);
  machine.secrets.announces = false;
  const one = await machine.open({ files: withoutWatch });
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const paused = Promise.withResolvers<() => void>();
  machine.fraction = 0.5;
  const { clock } = machine;
  const other = await machine.open({
    directory: `${machine.directory}-other`,
    files: withoutWatch,
    clock: {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, action) => {
        if (delayMs !== 1_500) {
          return clock.after(delayMs, action);
        }
        paused.resolve(action);
        return () => undefined;
      },
    },
  });
  await one.accounts.wakeUp();
  machine.clock.aheadMs = lifeMs;
  const fresh = other.accounts.fresh(grant.id, 10_000);
  const resume = await Promise.race([paused.promise, fresh.then(() => assert.fail('the second machine did not wait'))]);
  await one.accounts.renew(grant.id, { reason: 'expiry' });
  resume();
  assert.equal((await fresh).generation, 2);
  assert.equal(machine.server.refreshes.length, 1);
});

test('a second machine renews an expired token that the first machine, which is off, has not renewed', async (t) => {
  const machine = await Machine.start(t);
  const one = await machine.open();
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  await one.accounts.dispose();
  const other = await machine.open({ directory: `${machine.directory}-other` });
  machine.clock.aheadMs = lifeMs;
  assert.equal((await other.accounts.fresh(grant.id, 10_000)).generation, 2);
  const back = await machine.open();
  assert.equal(back.only().grant.generation, 2, 'the first machine adopts the renewal when it is back');
  machine.clock.aheadMs += lifeMs;
  await other.accounts.wakeUp();
  assert.equal(other.only().grant.generation, 3, 'the first machine leaves the next renewal to the second one');
});

test('a machine whose refresh fails because another machine was faster adopts that machine’s tokens', async (t) => {
  const machine = await Machine.start(t);
  machine.secrets.announces = false;
  const one = await machine.open({ files: withoutWatch });
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const other = await machine.open({ directory: `${machine.directory}-other`, files: withoutWatch });
  await one.accounts.wakeUp();
  // The other machine's request arrives while this machine's request is in progress.
  machine.server.next.push(async (_, respond) => {
    await other.accounts.renew(grant.id, { reason: 'asked' });
    return respond();
  });
  const renewed = await one.accounts.renew(grant.id, { reason: 'asked' });
  assert.equal(renewed.generation, 2);
  assert.equal(one.only().state, 'healthy');
  assert.equal(machine.server.refreshes.length, 2);
});

test('a sign-out on one machine permanently signs out the account on the other machine too', async (t) => {
  const machine = await Machine.start(t);
  const one = await machine.open();
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const other = await machine.open({ directory: `${machine.directory}-other` });
  await one.accounts.wakeUp();
  await other.accounts.signOut(grant.id);
  await one.accounts.wakeUp();
  assert.deepEqual(one.labels, []);
  assert.deepEqual((await machine.open()).labels, []);
});

test('a machine that shares its secrets with no other does not write renewals to the secret storage', async (t) => {
  const machine = await Machine.start(t);
  const one = await machine.open();
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const stored = machine.secrets.contents.get(`grant.${grant.id}`);
  await one.accounts.renew(grant.id, { reason: 'asked' });
  assert.equal(machine.secrets.contents.get(`grant.${grant.id}`), stored);
});
