import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fail, minute, signedIn } from './renewals.ts';

describe('a temporary failure of a renewal keeps the account signed in', () => {
  const failures = {
    'a network error': fail('transient', { code: 'unreachable' }),
    'a time-out': fail('transient', { code: 'timeout' }),
    'status 503': fail('transient', { code: 'http_503', status: 503 }),
    'status 429': fail('transient', { code: 'http_429', status: 429, retryAfterMs: 120_000 }),
    'HTML from a captive portal': fail('transient', { code: 'html', status: 200 }),
  };
  for (const [name, failure] of Object.entries(failures)) {
    test(`a renewal that fails with ${name} keeps the account signed in`, async (t) => {
      const { machine, window, grant } = await signedIn(t);
      machine.server.next.push(failure);
      await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
      assert.equal(window.only().state, 'healthy');
      assert.equal(
        (await machine.open()).only().grant.tokens.refreshToken?.reveal(),
        grant.tokens.refreshToken?.reveal(),
      );
      machine.clock.aheadMs += 10 * minute;
      await window.accounts.renew(grant.id, { reason: 'expiry' });
      assert.equal(machine.server.probes, 1, 'the network is probed before the refresh token is sent');
    });
  }

  test('a failed renewal is not retried before Retry-After', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.next.push(failures['status 429']);
    const expiry = () => window.accounts.renew(grant.id, { reason: 'expiry' });
    await assert.rejects(expiry(), { kind: 'transient' });
    machine.clock.aheadMs += 119_000;
    await assert.rejects(expiry(), { kind: 'transient' });
    assert.equal(machine.server.refreshes.length, 1);
    machine.clock.aheadMs += 2_000;
    await expiry();
    assert.equal(machine.server.refreshes.length, 2);
  });
});
