import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { endLimitMs } from '../../../src/accounts/accounts.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createHttp } from '../../../src/http/client.ts';
import type { Transport, TransportResponse } from '../../../src/http/transport.ts';
import { exchange, tokenLimitMs } from '../../../src/oauth/token.ts';
import { createGrantRequests } from '../../../src/renewal/grantRequests.ts';
import { probeLimitMs } from '../../../src/renewal/probe.ts';
import { lockWaitMs, longestRunMs } from '../../../src/renewal/renewal.ts';
import { lockTiming } from '../../../src/storage/lock.ts';
import { longestDelayMs } from '../../../src/storage/sharedMachines.ts';
import { fileLimitMs, secretLimitMs } from '../../../src/storage/timeLimits.ts';
import { FakeClock } from '../fakeClock.ts';
import { fails } from '../oauth/failing.ts';
import { textOf } from './realServer.ts';
import { signedIn } from './renewals.ts';

const { heartbeatMs, pollMs, takeoverAgeMs, longestHoldMs } = lockTiming;
/** What a renewal does under its lock apart from the storage, at the longest. */
const workMs = longestDelayMs + probeLimitMs + tokenLimitMs;

/** How the time limits fit together. Each sentence says why the first span has to be longer than the second. */
const longer: Record<string, [spanMs: number, thanMs: number]> = {
  'a lock is held for longer than the work under it takes, also if the disk is slow once': [
    longestHoldMs,
    workMs + fileLimitMs,
  ],
  'a lock whose counter stands still is taken over later than the work under it takes, also if the disk is slow twice':
    [takeoverAgeMs, workMs + 2 * fileLimitMs],
  'a lock is taken over only after its holder could have shown that it lives': [takeoverAgeMs, longestHoldMs],
  'a lock is not taken over while a keyring is unlocked at each of two reads before the work': [
    longestHoldMs + takeoverAgeMs,
    2 * secretLimitMs + workMs,
  ],
  'a holder that misses one heartbeat because the disk is slow keeps its lock': [
    takeoverAgeMs,
    heartbeatMs + fileLimitMs,
  ],
  'a waiter waits for longer than a holder holds the lock': [lockWaitMs, longestHoldMs + pollMs],
  'a waiter waits for longer than it takes to take over the lock of a dead holder': [
    lockWaitMs,
    takeoverAgeMs + heartbeatMs + 2 * pollMs,
  ],
  'a run lasts longer than two waits for the lock and the work under it, also if the disk is slow twice': [
    longestRunMs,
    2 * lockWaitMs + workMs + 2 * fileLimitMs,
  ],
  'a run outlasts a keyring that is unlocked at a read under the lock': [
    longestRunMs,
    lockWaitMs + secretLimitMs + workMs,
  ],
  'the editor gives extensions five seconds to end, and some of it is for the rest': [5_000, endLimitMs + 500],
};

describe('the time limits of a renewal', () => {
  for (const [reason, [spanMs, thanMs]] of Object.entries(longer)) {
    test(reason, () => {
      assert.ok(spanMs > thanMs, `${reason}: ${spanMs} ms, but it has to be more than ${thanMs} ms`);
    });
  }

  test('a request that spends a code or a refresh token has 90 seconds', () => {
    assert.equal(tokenLimitMs, 90_000);
  });

  test('a token response that arrives after 80 seconds is stored', async (t) => {
    const { clock, machine, window, renewing, respond } = await slowRenewal(t);
    await pass(clock, 80_000);
    respond();
    await settled(clock, renewing);
    for (const each of [window, await machine.open()]) {
      assert.equal(textOf(each.only().grant.tokens.refreshToken), 'refresh-late');
    }
    await settled(clock, window.accounts.dispose());
  });

  test('a token request that takes 100 seconds is a temporary failure that keeps the account', async (t) => {
    const { clock, machine, window, grant, renewing } = await slowRenewal(t);
    const failing = fails(() => renewing, 'transient', { step: 'token', code: 'timeout' });
    await pass(clock, 100_000);
    await settled(clock, failing);
    for (const each of [window, await machine.open()]) {
      assert.equal(each.only().grant.refusal, undefined);
      assert.equal(textOf(each.only().grant.tokens.refreshToken), textOf(grant.tokens.refreshToken));
    }
    // The next attempt may be under way, and ends only by a time limit.
    await settled(clock, window.accounts.dispose());
    await pass(clock, 60_000);
  });

  test('a code exchange whose response arrives after 80 seconds gets the tokens', async () => {
    const { clock, exchanging, respond } = slowExchange();
    await pass(clock, 80_000);
    respond();
    assert.equal(textOf((await exchanging).accessToken), 'access-late');
  });

  test('a code exchange that takes 100 seconds is a temporary failure', async () => {
    const { clock, exchanging } = slowExchange();
    const failing = fails(() => exchanging, 'transient', { step: 'token', code: 'timeout' });
    await pass(clock, 100_000);
    await failing;
  });
});

/** A transport whose only response comes when the test says so, with tokens. */
function slowTransport() {
  const { promise: sent, resolve: nowSent } = Promise.withResolvers<void>();
  const { promise: response, resolve } = Promise.withResolvers<TransportResponse>();
  const text = JSON.stringify({ access_token: 'access-late', refresh_token: 'refresh-late', token_type: 'bearer' });
  const chunks = [new TextEncoder().encode(text)];
  const transport: Transport = {
    send: () => {
      nowSent();
      return response;
    },
    close: async () => undefined,
  };
  const respond = () =>
    resolve({
      status: 200,
      headers: { 'content-type': 'application/json' },
      read: async () => chunks.shift(),
      cancel: () => undefined,
    });
  return { transport, sent, respond };
}

/** A renewal that has sent its refresh request. */
async function slowRenewal(t: TestContext) {
  const clock = new FakeClock();
  const { transport, sent, respond } = slowTransport();
  const requests = createGrantRequests(createHttp({ transport, clock }), clock);
  const signed = await signedIn(t, { clock, requests });
  const renewing = signed.window.accounts.renew(signed.grant.id, { reason: 'asked' });
  await sent;
  return { ...signed, clock, renewing, respond };
}

/** A sign-in that has sent its code. */
function slowExchange() {
  const clock = new FakeClock();
  const { transport, respond } = slowTransport();
  const issuer = 'https://as.example';
  const exchanging = exchange(
    createHttp({ transport, clock }),
    { issuer, authorizationEndpoint: `${issuer}/authorize`, tokenEndpoint: `${issuer}/token` },
    { clientId: 'client', authMethod: 'none' },
    {
      code: new Secret('code'),
      verifier: new Secret('verifier'),
      redirectUri: 'http://127.0.0.1:1/callback',
      resource: 'https://mcp.example/mcp',
      clock,
    },
  );
  return { clock, exchanging, respond };
}

/** Lets time pass in steps, between which the event loop turns. */
async function pass(clock: FakeClock, spanMs: number, stepMs = 10): Promise<void> {
  for (let passedMs = 0; passedMs < spanMs; passedMs += stepMs) {
    clock.advance(stepMs);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/**
 * Lets time pass until `promise` is settled, as it may wait for a pause; in small steps, because the disk is real and
 * has ten seconds of this clock for each operation.
 */
async function settled<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  const state = { isSettled: false };
  const settle = () => {
    state.isSettled = true;
  };
  promise.then(settle, settle);
  while (!state.isSettled) {
    await pass(clock, 1, 1);
  }
  return promise;
}
