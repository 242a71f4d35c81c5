import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallAccounts, callAccount, discardBody, maxDiscardMs } from '../../../src/calls/accountCall.ts';
import type { TransportResponse } from '../../../src/http/transport.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { FakeClock } from '../fakeClock.ts';
import { fails } from '../oauth/failing.ts';
import { PassingClock } from './passingClock.ts';
import { ScriptedAccounts } from './scriptedAccounts.ts';

/** A status, and the pause that the response requests. */
type Scripted = number | readonly [status: number, pauseMs: number];

/** A call of the account `ada`, whose responses are `script` and then 200. */
function callWith(...script: Scripted[]) {
  const accounts = new ScriptedAccounts();
  accounts.add('ada', 'https://mcp.example/mcp', 'token');
  const clock = new PassingClock();
  const sent: string[] = [];
  const discarded: number[] = [];
  const caller = new AbortController();
  const call = (used: CallAccounts = accounts) =>
    callAccount({ accounts: used, clock }, 'ada', {
      signal: caller.signal,
      send: async ({ tokens }) => {
        sent.push(tokens.accessToken.reveal());
        const [status, pauseMs] = [script[sent.length - 1] ?? 200].flat();
        return { status: Number(status), pauseMs };
      },
      pauseMs: (response) => response.pauseMs,
      discard: ({ status }) => discarded.push(status),
    });
  const status = async () => (await call()).status;
  return { accounts, clock, pauses: clock.pauses, sent, discarded, caller, call, status };
}

test('a call is sent once, with the account’s token, if the server does not reject the token or limit the rate', async () => {
  for (const status of [200, 202, 400, 403, 404, 500, 503]) {
    const { call, sent, accounts, discarded } = callWith(status);
    assert.equal((await call()).status, status);
    assert.deepEqual([sent, accounts.rejected, discarded], [['token'], [], []]);
  }
});

test('a call whose token is rejected is sent again with the renewed token', async () => {
  const { status, sent, accounts, discarded } = callWith(401);
  assert.equal(await status(), 200);
  assert.deepEqual([sent, accounts.rejected, discarded], [['token', 'token+'], ['token'], [401]]);
});

test('a call whose renewed token is rejected too ends with that rejection, which is not discarded', async () => {
  const { status, sent, accounts, discarded } = callWith(401, 401);
  assert.equal(await status(), 401);
  assert.deepEqual([sent, accounts.rejected, discarded], [['token', 'token+'], ['token'], [401]]);
});

test('a very new token that is rejected is sent once more before it counts as renewed', async () => {
  for (const [script, expected, status] of [
    [[401], ['token', 'token'], 200],
    [[401, 401], ['token', 'token', 'token+'], 200],
    [[401, 401, 401, 401], ['token', 'token', 'token+'], 401],
  ] as const) {
    const { call, sent, accounts } = callWith(...script);
    const { renew } = accounts;
    let renewals = 0;
    accounts.renew = async (grantId, why) => {
      renewals += 1;
      return renewals === 1 ? accounts.fresh(grantId, 0) : renew(grantId, why);
    };
    assert.equal((await call()).status, status);
    assert.deepEqual(sent, expected);
  }
});

test('a call is sent at most three times if a rejected token is never renewed', async () => {
  const { status, sent, accounts } = callWith(401, 401, 401, 401);
  accounts.renew = (grantId) => accounts.fresh(grantId, 0);
  assert.equal(await status(), 401);
  assert.deepEqual(sent, ['token', 'token', 'token']);
});

test('a rejected token is sent only once if rejected tokens must not be renewed', async () => {
  const { call, sent, accounts } = callWith(401);
  assert.equal((await call({ fresh: accounts.fresh })).status, 401);
  assert.deepEqual(sent, ['token']);
});

test('a call is not sent without a valid token, nor sent again if the renewal fails', async () => {
  const failure = new Failure('invalidGrant', { step: 'token', code: 'ended' });
  const unusable = callWith();
  unusable.accounts.fresh = () => Promise.reject(failure);
  await fails(unusable.call, 'invalidGrant', { code: 'ended' });
  assert.deepEqual(unusable.sent, []);
  const unrenewed = callWith(401);
  unrenewed.accounts.renew = () => Promise.reject(failure);
  await fails(unrenewed.call, 'invalidGrant', { code: 'ended' });
  assert.deepEqual(unrenewed.sent, ['token']);
});

test('a call is sent again, with the token that is then current, after a pause of at most ten seconds', async () => {
  for (const pauseMs of [0, 3_000, 10_000]) {
    const { accounts, status, sent, pauses, discarded } = callWith([429, pauseMs]);
    const { fresh } = accounts;
    accounts.fresh = (grantId, waitMs) => {
      if (sent.length === 1) {
        accounts.add('ada', 'https://mcp.example/mcp', 'next');
      }
      return fresh(grantId, waitMs);
    };
    assert.equal(await status(), 200);
    assert.deepEqual([sent, pauses, discarded], [['token', 'next'], [pauseMs], [429]]);
  }
});

test('a call does not wait for a longer pause, nor if the server requests none or responds with another status', async () => {
  for (const script of [[429, 10_001], 429, [503, 4_000]] as const) {
    const { status, sent, pauses, discarded } = callWith(script);
    assert.equal(await status(), [script].flat()[0]);
    assert.deepEqual([sent, pauses, discarded], [['token'], [], []]);
  }
});

test('a call that is limited again after its pause ends with that response', async () => {
  const { status, sent, pauses, discarded } = callWith([429, 4_000], [429, 5_000]);
  assert.equal(await status(), 429);
  assert.deepEqual([sent, pauses, discarded], [['token', 'token'], [4_000], [429]]);
});

test('a call may both pause and renew its token, each once', async () => {
  for (const script of [
    [[429, 4_000], 401],
    [401, [429, 4_000]],
  ] as Scripted[][]) {
    const { status, sent, pauses, accounts } = callWith(...script);
    assert.equal(await status(), 200);
    assert.equal(sent.at(-1), 'token+');
    assert.deepEqual([sent.length, pauses, accounts.rejected], [3, [4_000], ['token']]);
  }
});

test('a call that is cancelled before or during its pause is not sent again, and leaves no timer', async () => {
  for (const cancel of ['before', 'during']) {
    const { accounts, clock, call, sent, caller } = callWith([429, 4_000]);
    if (cancel === 'before') {
      accounts.fresh = async () => {
        caller.abort();
        return accounts.find('ada') ?? assert.fail();
      };
    } else {
      clock.onPause = () => caller.abort();
    }
    await assert.rejects(call, { name: 'HttpFailure', kind: 'cancelled' });
    assert.deepEqual([sent, clock.pendingTimers], [['token'], 0]);
  }
});

/** A response that ends after `chunks`, or never; `done` resolves once it has ended or was cancelled. */
function body(chunks: readonly Uint8Array[], { endless = false, broken = false } = {}) {
  const done = Promise.withResolvers<'ended' | 'cancelled'>();
  const rest = [...chunks];
  const response: TransportResponse = {
    status: 401,
    headers: {},
    read: async () => {
      const chunk = rest.shift();
      if (chunk === undefined && endless) {
        await done.promise;
      }
      if (chunk === undefined) {
        done.resolve('ended');
      }
      if (broken) {
        throw new Error('broken off');
      }
      return chunk;
    },
    cancel: () => done.resolve('cancelled'),
  };
  return { response, done: done.promise };
}

test('a discarded response is read to its end, so that its connection can be reused, unless it is long', async () => {
  for (const [length, outcome] of [
    [0, 'ended'],
    [65_536, 'ended'],
    [65_537, 'cancelled'],
  ] as const) {
    const clock = new FakeClock();
    const { response, done } = body([new Uint8Array(length)]);
    discardBody(response, clock);
    assert.equal(await done, outcome);
    await new Promise(setImmediate);
    assert.equal(clock.pendingTimers, 0);
  }
});

test('a discarded response that does not end within a second is cancelled, however little it sends', async () => {
  const clock = new FakeClock();
  const { response, done } = body([new Uint8Array(1)], { endless: true });
  discardBody(response, clock);
  await new Promise(setImmediate);
  assert.equal(clock.advanceToNextTimer(), maxDiscardMs);
  assert.equal(await done, 'cancelled');
});

test('a discarded response that breaks off is of no consequence', async () => {
  const clock = new FakeClock();
  const { response, done } = body([], { broken: true });
  discardBody(response, clock);
  await done;
  await new Promise(setImmediate);
  assert.equal(clock.pendingTimers, 0);
});
