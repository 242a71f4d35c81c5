import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from '../../../src/core/log.ts';
import { type SignInAttempt, SignInHistory } from '../../../src/diagnostics/signInHistory.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { SignInResult } from '../../../src/signIn/exchange.ts';
import { FakeClock } from '../fakeClock.ts';

const signedIn = { grant: { id: 'ada' } as Grant, reconnected: false };

/** Histories of windows that share what is stored, which is kept as text, as the editor keeps it. */
function openHistories() {
  const clock = new FakeClock();
  let text = '[]';
  const stored = {
    get: (): SignInAttempt[] => JSON.parse(text),
    set: (attempts: readonly SignInAttempt[]) => {
      text = JSON.stringify(attempts);
    },
  };
  const line = () => undefined;
  const log = new Log({ error: line, warn: line, info: line, debug: line });
  let count = 0;
  /** The log of the next sign-in. */
  const nextLog = (): Log => log.operation('sign-in', { bytes: () => new Uint8Array([0, ++count]) });
  return { clock, nextLog, open: () => new SignInHistory(stored, clock) };
}

test('a sign-in is recorded with its name in the log, its steps in their order, its account and how long it took', async () => {
  const { clock, nextLog, open } = openHistories();
  const history = open();
  const startedAtMs = clock.nowMs();
  const result = await history.record(nextLog(), async (reached) => {
    for (const step of ['discovering', 'uriHandler', 'waitingForBrowser', 'loopback', 'finishing'] as const) {
      clock.advance(1_000);
      reached(step);
    }
    return signedIn;
  });
  assert.equal(result, signedIn);
  const steps = ['discovering', 'uriHandler', 'waitingForBrowser', 'loopback', 'finishing'];
  const end = { tookMs: 5_000, outcome: { account: 1 } };
  assert.deepEqual(history.list(), [{ name: 'sign-in 0001', startedAtMs, steps, end }]);
});

test('a sign-in that fails is recorded with kind, step, code and status alone, and fails as before', async () => {
  const { nextLog, open } = openHistories();
  const history = open();
  const details = { step: 'token', code: 'http_503', status: 503, host: 'secret.example', missing: 'secret' } as const;
  const failure = new Failure('transient', details);
  await assert.rejects(
    history.record(nextLog(), () => Promise.reject(failure)),
    failure,
  );
  const unexpected = new TypeError('/home/secret');
  await assert.rejects(
    history.record(nextLog(), () => Promise.reject(unexpected)),
    unexpected,
  );
  assert.deepEqual(
    history.list().map(({ end }) => end?.outcome),
    [{ kind: 'transient', step: 'token', code: 'http_503', status: 503 }, 'unexpectedError'],
  );
  assert.doesNotMatch(JSON.stringify(history.list()), /secret/);
});

test('a sign-in is recorded while it runs, so that it is known after its window was reloaded', async () => {
  const { nextLog, open } = openHistories();
  const waiting = Promise.withResolvers<SignInResult>();
  const running = open().record(nextLog(), (reached) => {
    reached('discovering');
    return waiting.promise;
  });
  const [attempt] = open().list();
  assert.deepEqual([attempt?.steps, attempt?.end], [['discovering'], undefined]);
  waiting.resolve(signedIn);
  await running;
});

test('a stage that a sign-in reaches after its end, and a sign-in that got the id of an earlier one, change no record', async () => {
  const { clock, nextLog, open } = openHistories();
  const history = open();
  const log = nextLog();
  let reachLate = () => {};
  await history.record(log, async (reached) => {
    reachLate = () => reached('finishing');
    return signedIn;
  });
  reachLate();
  clock.advance(1_000);
  await history.record(log, async () => signedIn);
  assert.deepEqual(
    history.list().map(({ name, steps }) => [name, steps]),
    [
      ['sign-in 0001', []],
      ['sign-in 0001', []],
    ],
  );
});

test('two sign-ins at the same time, of one window or two, are both recorded in the order of their beginning', async () => {
  const { clock, nextLog, open } = openHistories();
  const first = Promise.withResolvers<SignInResult>();
  const running = open().record(nextLog(), () => first.promise);
  clock.advance(1_000);
  await open().record(nextLog(), async () => signedIn);
  first.reject(new Failure('cancelled', { step: 'authorization', code: 'browser_limit' }));
  await assert.rejects(running);
  assert.deepEqual(
    open()
      .list()
      .map(({ name, end }) => [name, end?.tookMs]),
    [
      ['sign-in 0001', 1_000],
      ['sign-in 0002', 0],
    ],
  );
});

test('only the last 10 sign-ins are kept, and of one that never comes to its end only the first 20 steps', async () => {
  const { clock, nextLog, open } = openHistories();
  const history = open();
  for (let count = 0; count < 12; count += 1) {
    clock.advance(1_000);
    await history.record(nextLog(), async (reached) => {
      for (let pauses = 0; pauses < 30; pauses += 1) {
        reached('serverBusy');
      }
      return signedIn;
    });
  }
  const attempts = history.list();
  assert.deepEqual([attempts.length, attempts[0]?.name, attempts[0]?.steps.length], [10, 'sign-in 0003', 20]);
});
