import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stoppedWaiting, withDelayedProgress } from '../../../src/editor/delayedProgress.ts';
import { FakeClock } from '../fakeClock.ts';

function startWork<T>() {
  const clock = new FakeClock();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const shown: { ended: Promise<void>; stop: () => void }[] = [];
  let signal: AbortSignal | undefined;
  const result = withDelayedProgress(
    clock,
    (ended, stop) => shown.push({ ended, stop }),
    (workSignal) => {
      signal = workSignal;
      return promise;
    },
  );
  return { clock, shown, result, resolve, reject, signal: () => signal };
}

test('work that ends within half a second never shows progress', async () => {
  const { clock, shown, result, resolve } = startWork<string>();
  clock.advance(499);
  resolve('done');
  assert.equal(await result, 'done');
  clock.advance(10_000);
  assert.equal(shown.length, 0);
  assert.equal(clock.pendingTimers, 0);
});

test('work that takes half a second shows progress until it succeeds or fails', async () => {
  const succeeding = startWork<string>();
  succeeding.clock.advance(500);
  assert.equal(succeeding.shown.length, 1);
  succeeding.resolve('done');
  await succeeding.shown[0]?.ended;
  assert.equal(await succeeding.result, 'done');

  const failing = startWork<string>();
  failing.clock.advance(500);
  failing.reject(new Error('no'));
  await assert.rejects(failing.result, /no/);
  await failing.shown[0]?.ended;
});

test('cancelling returns at once while the work continues, and a later failure of the work is ignored', async () => {
  const { clock, shown, result, reject, signal } = startWork<string>();
  clock.advance(500);
  shown[0]?.stop();
  assert.equal(await result, stoppedWaiting);
  assert.equal(signal()?.aborted, true);
  await shown[0]?.ended;
  reject(new Error('too late to be an unhandled rejection'));
});
