import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '../../../src/core/clock.ts';
import { MemorySecretStorage } from '../storage/memorySecrets.ts';
import { files, Machine, type Window } from './machine.ts';

const ada = 'ada (wiki)';
const withoutWatch = { ...files, watch: () => ({ close: () => undefined }) };

function token(window: Window): string {
  return window.only().grant.tokens.accessToken.reveal();
}

describe('two windows', () => {
  test('a window notices another window’s sign-in, renewal and sign-out at once, with one event each', async (t) => {
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

  test('a window without events adopts another window’s renewal at its next use, without a request', async (t) => {
    const machine = await Machine.start(t);
    machine.secrets.announces = false;
    const one = await machine.open({ files: withoutWatch });
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    const two = await machine.open({ files: withoutWatch });
    machine.clock.aheadMs = machine.server.lifeSeconds * 1_000;
    await one.accounts.fresh(grant.id, 5_000);
    assert.notEqual(token(two), token(one));
    await two.accounts.fresh(grant.id, 5_000);
    assert.equal(token(two), token(one));
    assert.equal(machine.server.refreshes.length, 1);
    assert.deepEqual(two.events, [`changed ${ada}`]);
  });

  test('a window without events notices another window’s sign-in and sign-out when it polls', async (t) => {
    const machine = await Machine.start(t);
    machine.secrets.announces = false;
    const [one, two] = [await machine.open({ files: withoutWatch }), await machine.open({ files: withoutWatch })];
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.accounts.wakeUp();
    assert.deepEqual(two.labels, [ada]);
    await one.accounts.signOut(grant.id);
    await two.accounts.wakeUp();
    assert.deepEqual(two.events, [`added ${ada}`, `removed ${ada}`]);
  });

  test('a sign-out in a window without events revokes the newest tokens, which another window obtained', async (t) => {
    const machine = await Machine.start(t);
    machine.secrets.announces = false;
    const one = await machine.open({ files: withoutWatch });
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    const two = await machine.open({ files: withoutWatch });
    const renewed = await two.accounts.renew(grant.id, { reason: 'asked' });
    await one.accounts.signOut(grant.id);
    assert.deepEqual(machine.server.revoked, [renewed.tokens.refreshToken?.reveal()]);
  });

  test('windows that renew at the same moment send one request', async (t) => {
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

  test('windows that sign in to one account at the same moment end up with one account', async (t) => {
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

  test('a sign-out during another window’s renewal revokes the tokens of that renewal', async (t) => {
    const machine = await Machine.start(t);
    const [one, two] = [await machine.open(), await machine.open()];
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.waitForEvent(`added ${ada}`);
    const sent = Promise.withResolvers<void>();
    const response = Promise.withResolvers<void>();
    machine.server.next.push(async (_, respond) => {
      sent.resolve();
      await response.promise;
      return respond();
    });
    const renewing = one.accounts.renew(grant.id, { reason: 'asked' });
    await sent.promise;
    const signingOut = two.accounts.signOut(grant.id);
    await one.waitForEvent(`removed ${ada}`);
    response.resolve();
    await assert.rejects(renewing, { kind: 'invalidGrant' });
    await signingOut;
    assert.ok(machine.server.revoked.some((refreshToken) => refreshToken !== grant.tokens.refreshToken?.reveal()));
    assert.deepEqual((await machine.open()).labels, []);
  });

  test('a sign-in waits for another window’s renewal of its account and becomes the next generation', async (t) => {
    const machine = await Machine.start(t);
    const [one, two] = [await machine.open(), await machine.open()];
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.waitForEvent(`added ${ada}`);
    const sent = Promise.withResolvers<void>();
    const response = Promise.withResolvers<void>();
    machine.server.next.push(async (_, respond) => {
      sent.resolve();
      await response.promise;
      return respond();
    });
    const renewing = two.accounts.renew(grant.id, { reason: 'asked' });
    await sent.promise;
    const signingIn = one.accounts.storeSignIn(machine.server.signIn('ada'));
    response.resolve();
    const renewed = await renewing;
    const again = await signingIn;
    assert.equal(again.grant.id, grant.id);
    assert.equal(again.grant.generation, 3);
    assert.deepEqual(machine.server.revoked, [renewed.tokens.refreshToken?.reveal()]);
    assert.deepEqual((await machine.open()).labels, [ada]);
    await two.accounts.renew(grant.id, { reason: 'asked' });
  });

  test('a sign-in to an account whose lock stays held replaces its grant with a new one', async (t) => {
    const machine = await Machine.start(t);
    machine.lockTiming = { ...machine.lockTiming, takeoverAgeMs: 600_000 };
    const one = await machine.open({ clock: fastForAcquire(machine.clock, machine.lockTiming.pollMs) });
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await files.create(`${machine.directory}/${grant.id}.lock`, 'dead 000000000007\n');
    const again = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.notEqual(again.grant.id, grant.id);
    assert.equal(again.reconnected, true);
    await one.waitForEvent(`removed ${ada}`);
    assert.deepEqual(one.labels, [ada]);
    await one.accounts.renew(again.grant.id, { reason: 'asked' });
  });

  test('a renewal takes over the lock of a dead window', async (t) => {
    const machine = await Machine.start(t);
    const one = await machine.open();
    const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await files.create(`${machine.directory}/${grant.id}.lock`, 'dead 000000000007\n');
    await one.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(machine.server.refreshes.length, 1);
  });
});

/** A clock by which a wait for a lock ends at its second poll. */
function fastForAcquire(clock: Clock, pollMs: number): Clock {
  let polls = 0;
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs() + 20_000 * polls,
    after: (delayMs, action) => {
      polls += delayMs === pollMs ? 1 : 0;
      return clock.after(delayMs, action);
    },
  };
}

describe('two tabs of a web host, where each rewrites all secrets', () => {
  test('two tabs that rewrite all secrets lose no account if one signs in and the other renews another', async (t) => {
    const secrets = new MemorySecretStorage('rewriting');
    const machine = await Machine.start(t, secrets);
    const before = await machine.open();
    const { grant: grace } = await before.accounts.storeSignIn(machine.server.signIn('grace'));
    const [one, two] = [await machine.open(), await machine.open()];
    await one.accounts.storeSignIn(machine.server.signIn('ada'));
    await two.accounts.renew(grace.id, { reason: 'asked' });
    // The second tab writes what it loaded, which removes the first tab's sign-in from the secrets.
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

  test('a tab that was opened before the first sign-in in another tab needs a reload and erases nothing', async (t) => {
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

  test('a window reports a lost key, not staleness, if an earlier start’s secrets are lost', async (t) => {
    const machine = await Machine.start(t);
    await (await machine.open()).accounts.storeSignIn(machine.server.signIn('ada'));
    machine.secrets.contents.clear();
    machine.clock.aheadMs = 10_000;
    assert.deepEqual([...(await machine.open()).accounts.problems], ['keyLost']);
  });

  test('two tabs that rewrite all secrets do not trigger each other endlessly', async (t) => {
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
