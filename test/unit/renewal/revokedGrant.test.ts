import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fail, invalidGrant, minute, notion, signedIn } from './renewals.ts';

describe('a rejection that says the grant has ended', () => {
  test('an invalid_grant long after a sign-in ends the grant, and its refresh token is never sent again', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.end(grant);
    machine.clock.aheadMs = 5 * minute;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidGrant' });
    assert.equal(window.only().state, 'needsSignIn');
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidGrant' });
    assert.equal(machine.server.refreshes.length, 1);
    const reloaded = await machine.open();
    assert.equal(reloaded.only().state, 'needsSignIn');
    assert.equal(reloaded.only().grant.tokens.refreshToken, undefined);
  });

  test('an invalid_grant soon after a renewal ends no grant before a second attempt 90 seconds later', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    machine.server.next.push(invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.equal(window.only().state, 'healthy');
    machine.clock.aheadMs += 80_000;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.equal(machine.server.refreshes.length, 2);
    machine.clock.aheadMs += 11_000;
    assert.equal((await window.accounts.renew(grant.id, { reason: 'asked' })).generation, 3);
  });

  test('renewals fail as unconfirmed while a rejection awaits confirmation, whatever their reason', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(window.accounts.trouble(grant.id), undefined);
    machine.server.next.push(invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.equal(window.accounts.trouble(grant.id), 'beingConfirmed');
    const { accessToken } = renewed.tokens;
    const rejected = window.accounts.renew(grant.id, { reason: 'rejected', accessToken });
    await assert.rejects(rejected, { kind: 'transient', message: /unconfirmed/ });
    assert.equal(machine.server.refreshes.length, 2);
  });

  test('a window confirms a rejection while the token is still valid, then the account needs sign-in', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    machine.server.next.push(invalidGrant, invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    machine.clock.aheadMs += 91_000;
    await window.accounts.wakeUp();
    assert.equal(window.only().state, 'needsSignIn');
    assert.equal(machine.server.refreshes.length, 3);
  });

  test('a renewal failure is forgotten in every window once a sign-in has replaced the tokens', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const other = await machine.open();
    machine.server.next.push(fail('transient', { code: 'unreachable' }), fail('transient', { code: 'unreachable' }));
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
    await assert.rejects(other.accounts.renew(grant.id, { reason: 'asked' }));
    assert.deepEqual([window.accounts.trouble(grant.id), other.accounts.trouble(grant.id)], ['offline', 'offline']);
    await window.accounts.storeSignIn(machine.server.signIn('ada'));
    await other.accounts.wakeUp();
    assert.deepEqual([window.accounts.trouble(grant.id), other.accounts.trouble(grant.id)], [undefined, undefined]);
  });

  test('two rejected access tokens and an invalid_grant within a minute of a sign-in do not end the account', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const { accessToken } = grant.tokens;
    machine.server.next.push(invalidGrant);
    machine.clock.aheadMs = 30_000;
    await window.accounts.renew(grant.id, { reason: 'rejected', accessToken });
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'rejected', accessToken }), { kind: 'transient' });
    assert.equal(window.only().state, 'healthy');
    assert.equal(window.accounts.trouble(grant.id), 'beingConfirmed');
    machine.clock.aheadMs += 91_000;
    assert.equal((await window.accounts.renew(grant.id, { reason: 'expiry' })).generation, 2);
    assert.equal(window.accounts.trouble(grant.id), undefined);
  });

  test('a second invalid_grant after 90 seconds ends the grant', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    machine.server.next.push(invalidGrant, invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    machine.clock.aheadMs += 91_000;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidGrant' });
    assert.equal(window.only().state, 'needsSignIn');
  });

  test('an invalid_client is confirmed by a second attempt even long after the sign-in', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.clock.aheadMs = 30 * minute;
    const invalidClient = fail('invalidClient', { code: 'invalid_client', status: 401 });
    machine.server.next.push(invalidClient, invalidClient);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    machine.clock.aheadMs += 91_000;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidClient' });
    assert.equal(window.only().grant.needsSignIn?.reason, 'invalidClient');
  });

  test('a sign-in after the end of a grant restores the same account', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.end(grant);
    machine.clock.aheadMs = 10 * minute;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
    const again = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.equal(again.grant.id, grant.id);
    assert.equal(window.only().state, 'healthy');
    assert.deepEqual(window.events, ['added ada (wiki)', 'changed ada (wiki)', 'added ada (wiki)']);
  });

  test('a grant that ends is reported as idle after 30 idle days, and as too old after 180 days', async (t) => {
    for (const [days, reason] of [
      [31, 'idle'],
      [181, 'tooOld'],
    ] as const) {
      const { machine, window, grant } = await signedIn(t, { serverUrl: notion }, notion);
      machine.clock.aheadMs = days * 24 * 60 * minute;
      machine.server.end(grant);
      await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
      assert.equal(window.only().grant.needsSignIn?.reason, reason);
    }
  });
});
