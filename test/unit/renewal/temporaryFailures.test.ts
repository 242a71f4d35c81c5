import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Failure } from '../../../src/oauth/errors.ts';
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

describe('a call with an expired access token, after renewals have failed', () => {
  const expired = async (t: TestContext) => {
    const signed = await signedIn(t);
    signed.machine.fraction = 1;
    signed.machine.clock.aheadMs += 70 * minute;
    return { ...signed, fresh: () => signed.window.accounts.fresh(signed.grant.id, minute) };
  };

  test('a call with an expired access token is told what the network does now, not what it did when a renewal failed', async (t) => {
    const { machine, fresh } = await expired(t);
    const codes = ['unreachable', 'timeout', 'certificate', 'unverified', 'interrupted', 'proxy', 'html'] as const;
    for (const code of codes) {
      machine.server.next.push(fail('transient', { code }));
      await assert.rejects(fresh(), ({ details }: Failure) => details.code === code);
      machine.clock.aheadMs += 2_000;
    }
    await fresh();
    assert.equal(machine.server.probes, codes.length, 'the network is probed before a refresh token is sent again');
  });

  test('calls with an expired access token in quick succession share the failure of one renewal', async (t) => {
    const { machine, fresh } = await expired(t);
    machine.server.next.push(fail('transient', { code: 'unreachable' }), fail('transient', { code: 'proxy' }));
    for (const code of ['unreachable', 'unreachable']) {
      await assert.rejects(fresh(), ({ details }: Failure) => details.code === code);
    }
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('a call with an expired access token does not shorten the pause of a server that has trouble', async (t) => {
    const { machine, fresh } = await expired(t);
    const trouble = () => fail('transient', { code: 'http_503', status: 503 });
    machine.server.next.push(trouble(), trouble(), trouble());
    for (const secondsAhead of [3, 5, 0]) {
      await assert.rejects(fresh(), ({ details }: Failure) => details.status === 503);
      machine.clock.aheadMs += secondsAhead * 1_000;
    }
    // After the third failure the pause is 8 seconds.
    machine.clock.aheadMs += 6_000;
    await assert.rejects(fresh(), ({ details }: Failure) => details.status === 503);
    assert.equal(machine.server.refreshes.length, 3);
  });

  test('a call whose access token is about to expire does not repeat a renewal that the network has just failed', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.fraction = 1;
    machine.server.next.push(...Array.from({ length: 4 }, () => fail('transient', { code: 'unreachable' })));
    for (let failures = 0; failures < 4; failures += 1) {
      await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
    }
    machine.clock.aheadMs += 6_000;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'expiry' }));
    assert.equal(machine.server.refreshes.length, 4);
  });
});
