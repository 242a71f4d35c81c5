import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stoppedWaiting, withDelayedProgress } from '../../../src/editor/delayedProgress.ts';
import { FakeClock } from '../fakeClock.ts';

function waiting<T>() {
  const clock = new FakeClock();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const shown: { ended: Promise<void>; stop: () => void }[] = [];
  let signal: AbortSignal | undefined;
  const result = withDelayedProgress(
    clock,
    (ended, stop) => shown.push({ ended, stop }),
    (given) => {
      signal = given;
      return promise;
    },
  );
  return { clock, shown, result, resolve, reject, signal: () => signal };
}

test('what is done within half a second is never shown', async () => {
  const { clock, shown, result, resolve } = waiting<string>();
  clock.advance(499);
  resolve('done');
  assert.equal(await result, 'done');
  clock.advance(10_000);
  assert.equal(shown.length, 0);
  assert.equal(clock.pendingTimers, 0);
});

test('what takes longer is shown until it ends, well or not', async () => {
  const good = waiting<string>();
  good.clock.advance(500);
  assert.equal(good.shown.length, 1);
  good.resolve('done');
  await good.shown[0]?.ended;
  assert.equal(await good.result, 'done');

  const bad = waiting<string>();
  bad.clock.advance(500);
  bad.reject(new Error('no'));
  await assert.rejects(bad.result, /no/);
  await bad.shown[0]?.ended;
});

test('who cancels is free at once while the work goes on, and its end is nobody’s any more', async () => {
  const { clock, shown, result, reject, signal } = waiting<string>();
  clock.advance(500);
  shown[0]?.stop();
  assert.equal(await result, stoppedWaiting);
  assert.equal(signal()?.aborted, true);
  await shown[0]?.ended;
  reject(new Error('too late to be an unhandled rejection'));
});
