import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endLimitMs } from '../../../src/accounts/accounts.ts';
import { Secret } from '../../../src/core/secret.ts';
import { FakeClock } from '../fakeClock.ts';
import { minute, signedIn } from './renewals.ts';

describe('a renewal', () => {
  test('a renewal stores both new tokens as the next generation and fires one event', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(renewed.generation, grant.generation + 1);
    const reloaded = (await machine.open()).only().grant;
    assert.ok(reloaded.tokens.accessToken.equals(renewed.tokens.accessToken));
    assert.deepEqual(reloaded.tokens.refreshToken?.reveal(), renewed.tokens.refreshToken?.reveal());
    assert.deepEqual(window.events, ['added ada (wiki)', 'changed ada (wiki)']);
  });

  test('a renewal keeps a refresh token that the token response omits', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.next.push(() => ({ accessToken: new Secret('new'), obtainedAtMs: machine.clock.nowMs() }));
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(renewed.tokens.refreshToken?.reveal(), grant.tokens.refreshToken?.reveal());
    assert.equal(renewed.tokens.expiresInSeconds, undefined);
  });

  test('all callers in a window share one renewal', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renew = () => window.accounts.renew(grant.id, { reason: 'asked' });
    const [one, two] = await Promise.all([renew(), renew()]);
    assert.equal(one, two);
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('no renewal starts after the window has closed', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.dispose();
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('a closing window waits for a renewal in progress and stores its tokens', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renewing = window.accounts.renew(grant.id, { reason: 'asked' });
    await window.accounts.dispose();
    const renewed = await renewing;
    assert.ok((await machine.open()).only().grant.tokens.accessToken.equals(renewed.tokens.accessToken));
  });

  test('a closing window waits no longer for a renewal than the editor lets it', async (t) => {
    const clock = new FakeClock();
    const { machine, window, grant } = await signedIn(t, { clock });
    const [sent, responded] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    machine.server.next.push(async (_grant, respond) => {
      sent.resolve();
      await responded.promise;
      return respond();
    });
    const renewing = window.accounts.renew(grant.id, { reason: 'asked' });
    await sent.promise;
    let hasClosed = false;
    const closing = window.accounts.dispose().then(() => {
      hasClosed = true;
    });
    clock.advance(endLimitMs - 1);
    await new Promise<void>((resolve) => setImmediate(resolve));
    const hasClosedEarly = hasClosed;
    clock.advance(1);
    await new Promise<void>((resolve) => setImmediate(resolve));
    const hasClosedInTime = hasClosed;
    responded.resolve();
    await Promise.all([closing, renewing]);
    assert.deepEqual({ hasClosedEarly, hasClosedInTime }, { hasClosedEarly: false, hasClosedInTime: true });
  });
});

describe('a renewal by a wrong clock', () => {
  test('a token renewed while the clock was a day ahead is renewed again once the clock is right', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const day = 24 * 60 * minute;
    machine.clock.aheadMs = day;
    await window.accounts.renew(grant.id, { reason: 'expiry' });
    machine.clock.aheadMs = 0;
    assert.equal(window.only().state, 'expired');
    await window.accounts.wakeUp();
    assert.equal(window.only().state, 'healthy');
    assert.equal(window.only().grant.generation, 3);
  });
});

test('a renewal fails after seven minutes if its refresh request never returns', async (t) => {
  const clock = new FakeClock();
  const { window, grant, machine } = await signedIn(t, { clock });
  const sent = Promise.withResolvers<void>();
  machine.server.next.push(() => {
    sent.resolve();
    return new Promise(() => undefined);
  });
  const renewing = window.accounts.renew(grant.id, { reason: 'asked' });
  await sent.promise;
  clock.advance(7 * minute);
  await assert.rejects(renewing, { kind: 'transient', message: /timeout/ });
});
