import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '../../../src/core/clock.ts';
import { MemorySecretStorage } from '../storage/memorySecrets.ts';
import { files, Machine, type Window } from './machine.ts';

const ada = 'ada (wiki)';
const deaf = { ...files, watch: () => ({ close: () => undefined }) };

function token(window: Window): string {
  return window.only().grant.tokens.accessToken.reveal();
}

describe('two windows', () => {
  test('know at once of a sign-in, a renewal, a second sign-in and a sign-out in the other, and say each once', async (t) => {
    const machine = await Machine.start(t);
    const [one, two] = [await machine.open(), await machine.open()];
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.waitForEvent(`added ${ada}`);
    await one.accounts.renew(grant.id, { reason: 'asked' });
    await two.waitForEvent(`changed ${ada}`);
    assert.equal(token(two), token(one));
    await two.accounts.signOut(grant.id);
    await one.waitForEvent(`removed ${ada}`);
    assert.deepEqual(one.events, [`added ${ada}`, `changed ${ada}`, `removed ${ada}`]);
    assert.deepEqual(two.events, one.events);
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('that hear nothing of each other adopt at the next use, without a request', async (t) => {
    const machine = await Machine.start(t);
    machine.secrets.announces = false;
    const one = await machine.open({ files: deaf });
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    const two = await machine.open({ files: deaf });
    machine.clock.aheadMs = machine.server.lifeSeconds * 1_000;
    await one.accounts.fresh(grant.id, 5_000);
    assert.notEqual(token(two), token(one));
    await two.accounts.fresh(grant.id, 5_000);
    assert.equal(token(two), token(one));
    assert.equal(machine.server.refreshes.length, 1);
    assert.deepEqual(two.events, [`changed ${ada}`]);
  });

  test('that hear nothing of each other learn of a sign-in and a sign-out when they look', async (t) => {
    const machine = await Machine.start(t);
    machine.secrets.announces = false;
    const [one, two] = [await machine.open({ files: deaf }), await machine.open({ files: deaf })];
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.accounts.wakeUp();
    assert.deepEqual(two.labels, [ada]);
    await one.accounts.signOut(grant.id);
    await two.accounts.wakeUp();
    assert.deepEqual(two.events, [`added ${ada}`, `removed ${ada}`]);
  });

  test('that hear nothing of each other revoke the newest tokens when one signs out', async (t) => {
    const machine = await Machine.start(t);
    machine.secrets.announces = false;
    const one = await machine.open({ files: deaf });
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    const two = await machine.open({ files: deaf });
    const renewed = await two.accounts.renew(grant.id, { reason: 'asked' });
    await one.accounts.signOut(grant.id);
    assert.deepEqual(machine.server.revoked, [renewed.tokens.refreshToken?.reveal()]);
  });

  test('that renew at the same moment send one request', async (t) => {
    const machine = await Machine.start(t);
    const one = await machine.open();
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    const others = await Promise.all(Array.from({ length: 7 }, () => machine.open()));
    machine.clock.aheadMs = machine.server.lifeSeconds * 1_000;
    const renewed = await Promise.all(
      [one, ...others].map(({ accounts }) => accounts.renew(grant.id, { reason: 'expiry' })),
    );
    assert.equal(machine.server.refreshes.length, 1);
    assert.equal(new Set(renewed.map(({ tokens }) => tokens.accessToken.reveal())).size, 1);
  });

  test('that sign in to one account at the same moment make one account of it', async (t) => {
    const machine = await Machine.start(t);
    const [one, two] = [await machine.open(), await machine.open()];
    const [first, second] = await Promise.all([
      one.accounts.storeSignIn(machine.server.signIn('ada')),
      two.accounts.storeSignIn(machine.server.signIn('ada')),
    ]);
    assert.equal(first.grant.id, second.grant.id);
    assert.deepEqual((await machine.open()).labels, [ada]);
    assert.equal(machine.server.revoked.length, 1);
  });

  test('a sign-out in one during a renewal in the other gives back what the renewal got', async (t) => {
    const machine = await Machine.start(t);
    const [one, two] = [await machine.open(), await machine.open()];
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.waitForEvent(`added ${ada}`);
    const sent = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    machine.server.next.push(async (_, answer) => {
      sent.resolve();
      await answered.promise;
      return answer();
    });
    const renewing = one.accounts.renew(grant.id, { reason: 'asked' });
    await sent.promise;
    const signingOut = two.accounts.signOut(grant.id);
    await one.waitForEvent(`removed ${ada}`);
    answered.resolve();
    await assert.rejects(renewing, { kind: 'invalidGrant' });
    await signingOut;
    assert.ok(machine.server.revoked.some((refreshToken) => refreshToken !== grant.tokens.refreshToken?.reveal()));
    assert.deepEqual((await machine.open()).labels, []);
  });

  test('a sign-in to an account that the other is renewing waits for it, and is the newer generation', async (t) => {
    const machine = await Machine.start(t);
    const [one, two] = [await machine.open(), await machine.open()];
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.waitForEvent(`added ${ada}`);
    const sent = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    machine.server.next.push(async (_, answer) => {
      sent.resolve();
      await answered.promise;
      return answer();
    });
    const renewing = two.accounts.renew(grant.id, { reason: 'asked' });
    await sent.promise;
    const signingIn = one.accounts.storeSignIn(machine.server.signIn('ada'));
    answered.resolve();
    const renewed = await renewing;
    const again = await signingIn;
    assert.equal(again.grant.id, grant.id);
    assert.equal(again.grant.generation, 3);
    assert.deepEqual(machine.server.revoked, [renewed.tokens.refreshToken?.reveal()]);
    assert.deepEqual((await machine.open()).labels, [ada]);
    await two.accounts.renew(grant.id, { reason: 'asked' });
  });

  test('a sign-in to an account whose lock stays held moves it to a new grant, and the old one is gone', async (t) => {
    const machine = await Machine.start(t);
    machine.lockTiming = { ...machine.lockTiming, takeoverAgeMs: 600_000 };
    const one = await machine.open({ clock: impatient(machine.clock) });
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await files.create(`${machine.directory}/${grant.id}.lock`, 'dead 000000000007\n');
    const again = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.notEqual(again.grant.id, grant.id);
    assert.equal(again.reconnected, true);
    await one.waitForEvent(`removed ${ada}`);
    assert.deepEqual(one.labels, [ada]);
    await one.accounts.renew(again.grant.id, { reason: 'asked' });
  });

  test('a lock whose holder died is taken over', async (t) => {
    const machine = await Machine.start(t);
    const one = await machine.open();
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await files.create(`${machine.directory}/${grant.id}.lock`, 'dead 000000000007\n');
    await one.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(machine.server.refreshes.length, 1);
  });
});

/** A clock by which a wait is over at the second look. */
function impatient(clock: Clock): Clock {
  let looks = 0;
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs() + 20_000 * looks,
    after: (delayMs, action) => {
      looks += delayMs === 2 ? 1 : 0;
      return clock.after(delayMs, action);
    },
  };
}

describe('two tabs of a host where each rewrites all secrets', () => {
  test('lose no account: one signs in, the other renews another, both reload', async (t) => {
    const secrets = new MemorySecretStorage('rewriting');
    const machine = await Machine.start(t, secrets);
    const before = await machine.open();
    const { grant: grace } = await before.accounts.storeSignIn(machine.server.signIn('grace'));
    const [one, two] = [await machine.open(), await machine.open()];
    await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.accounts.renew(grace.id, { reason: 'asked' });
    // The second tab writes what it loaded, and the first one's sign-in is gone from the secrets.
    await two.accounts.storeSignIn(machine.server.signIn('emmy'));
    const reloaded = [await machine.open(), await machine.open()];
    for (const tab of reloaded) {
      assert.deepEqual(tab.labels, [ada, 'emmy (wiki)', 'grace (wiki)']);
      assert.equal(tab.accounts.find(grace.id)?.grant.generation, 2);
    }
    for (const tab of reloaded) {
      await tab.accounts.renew(grace.id, { reason: 'asked' });
    }
  });

  test('that were both open before anybody signed in: the second asks for a reload and erases nothing', async (t) => {
    const machine = await Machine.start(t, new MemorySecretStorage('rewriting'));
    const early = { secrets: machine.secrets.window(), openedAtMs: machine.clock.nowMs() - 1_000 };
    const one = await machine.open();
    await one.accounts.storeSignIn(machine.server.signIn('ada'));
    const two = await machine.open(early);
    assert.deepEqual([...two.accounts.problems], ['stale']);
    await assert.rejects(two.accounts.storeSignIn(machine.server.signIn('grace')), {
      kind: 'transient',
      message: /stale_window/,
    });
    await two.accounts.wakeUp();
    assert.deepEqual((await machine.open()).labels, [ada]);
  });

  test('know a storage that forgets from a window that is only old', async (t) => {
    const machine = await Machine.start(t);
    await machine.open();
    machine.secrets.contents.clear();
    machine.clock.aheadMs = 1_000;
    assert.deepEqual([...(await machine.open()).accounts.problems], ['volatile']);
  });

  test('do not answer each other for ever', async (t) => {
    const machine = await Machine.start(t, new MemorySecretStorage('rewriting'));
    const [one, two] = [await machine.open(), await machine.open()];
    await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.waitForEvent(`added ${ada}`);
    await Promise.all([one.accounts.wakeUp(), two.accounts.wakeUp()]);
    const stored = JSON.stringify([...machine.secrets.contents]);
    await Promise.all([one.accounts.wakeUp(), two.accounts.wakeUp()]);
    assert.equal(JSON.stringify([...machine.secrets.contents]), stored);
  });
});
