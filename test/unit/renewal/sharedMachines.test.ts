import assert from 'node:assert/strict';
import { test } from 'node:test';
import { files, Machine } from '../accounts/machine.ts';

const ada = 'ada (wiki)';
const lifeMs = 3_600_000;
const deaf = { ...files, watch: () => ({ close: () => undefined }) };

// Two machines that share the secrets but not a disk: the extension also runs on a remote host.

test('a second machine knows the account and lets the first one renew it', async (t) => {
  const machine = await Machine.start(t);
  const one = await machine.open();
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const other = await machine.open({ directory: `${machine.directory}-other` });
  assert.deepEqual(other.labels, [ada]);
  machine.clock.aheadMs = lifeMs - 30_000;
  assert.equal((await other.accounts.fresh(grant.id, 5_000)).generation, 1, 'its token is good for half a minute');
  await other.accounts.renew(grant.id, { reason: 'expiry' });
  assert.deepEqual(machine.server.refreshes, []);
  await one.accounts.wakeUp();
  assert.equal(machine.server.refreshes.length, 1);
});

test('a second machine has what the first one renewed, without a request, and so the other way round', async (t) => {
  const machine = await Machine.start(t);
  const one = await machine.open();
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const other = await machine.open({ directory: `${machine.directory}-other` });
  // Whoever asks by hand gets it, and is the one that renews from then on.
  for (const [asking, hearing] of [
    [one, other],
    [other, one],
    [one, other],
  ] as const) {
    await asking.accounts.wakeUp();
    const renewed = await asking.accounts.renew(grant.id, { reason: 'asked' });
    await hearing.accounts.wakeUp();
    assert.equal(hearing.only().grant.generation, renewed.generation);
    assert.ok(hearing.only().grant.tokens.accessToken.equals(renewed.tokens.accessToken));
  }
  assert.equal(machine.server.refreshes.length, 3);
});

test('a second machine whose token is dead looks again before it renews, and adopts what it finds', async (t) => {
  const machine = await Machine.start(t);
  machine.secrets.announces = false;
  const one = await machine.open({ files: deaf });
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const pausing = Promise.withResolvers<() => void>();
  machine.fraction = 0.5;
  const { clock } = machine;
  const other = await machine.open({
    directory: `${machine.directory}-other`,
    files: deaf,
    clock: {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, action) => {
        if (delayMs !== 1_500) {
          return clock.after(delayMs, action);
        }
        pausing.resolve(action);
        return () => undefined;
      },
    },
  });
  await one.accounts.wakeUp();
  machine.clock.aheadMs = lifeMs;
  const freshening = other.accounts.fresh(grant.id, 10_000);
  const goOn = await Promise.race([pausing.promise, freshening.then(() => assert.fail('it did not pause'))]);
  await one.accounts.renew(grant.id, { reason: 'expiry' });
  goOn();
  assert.equal((await freshening).generation, 2);
  assert.equal(machine.server.refreshes.length, 1);
});

test('a second machine renews what the first one, which was switched off, did not', async (t) => {
  const machine = await Machine.start(t);
  const one = await machine.open();
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  await one.accounts.dispose();
  const other = await machine.open({ directory: `${machine.directory}-other` });
  machine.clock.aheadMs = lifeMs;
  assert.equal((await other.accounts.fresh(grant.id, 10_000)).generation, 2);
  const back = await machine.open();
  assert.equal(back.only().grant.generation, 2, 'the first one learns of it when it comes back');
  machine.clock.aheadMs += lifeMs;
  await other.accounts.wakeUp();
  assert.equal(other.only().grant.generation, 3, 'and leaves it to the second one');
});

test('a machine that is refused because the other was faster adopts what the other has', async (t) => {
  const machine = await Machine.start(t);
  machine.secrets.announces = false;
  const one = await machine.open({ files: deaf });
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const other = await machine.open({ directory: `${machine.directory}-other`, files: deaf });
  await one.accounts.wakeUp();
  // The other one's request comes while ours is on its way.
  machine.server.next.push(async (_, answer) => {
    await other.accounts.renew(grant.id, { reason: 'asked' });
    return answer();
  });
  const renewed = await one.accounts.renew(grant.id, { reason: 'asked' });
  assert.equal(renewed.generation, 2);
  assert.equal(one.only().state, 'healthy');
  assert.equal(machine.server.refreshes.length, 2);
});

test('a sign-out on one machine is one on the other, and nothing brings the account back', async (t) => {
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

test('a machine alone writes no renewal into the secret storage', async (t) => {
  const machine = await Machine.start(t);
  const one = await machine.open();
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const stored = machine.secrets.contents.get(`grant.${grant.id}`);
  await one.accounts.renew(grant.id, { reason: 'asked' });
  assert.equal(machine.secrets.contents.get(`grant.${grant.id}`), stored);
});
