import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemRandomness } from '../../../src/core/random.ts';
import { type HeldLock, Locks } from '../../../src/storage/lock.ts';
import { files } from '../accounts/machine.ts';
import { FakeClock } from '../fakeClock.ts';

const timing = { heartbeatMs: 1_000, pollMs: 100, takeoverAgeMs: 130_000, longestHoldMs: 120_000 };
const longWaitMs = 1_000_000_000;
/** How long a test waits in real time, on a machine that may be busy. */
const realLimitMs = 10_000;

async function begin(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'lock-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const clock = new FakeClock();
  const held: HeldLock[] = [];
  t.after(() => Promise.all(held.map((lock) => lock.release())));
  /** Acquires the lock as a new window. */
  const acquire = async (name: string, waitMs: number) => {
    const lock = await new Locks(files, directory, clock, systemRandomness, timing).acquire(name, waitMs);
    held.push(...(lock === undefined ? [] : [lock]));
    return lock;
  };
  const path = join(directory, 'one.lock');
  /** Advances the clock in steps. Before each step, disk and promises catch up until `windows` timers are pending. */
  const pass = async (spanMs: number, stepMs: number, until = () => false, windows = () => 1) => {
    for (let passedMs = 0; passedMs < spanMs && !until(); passedMs += stepMs) {
      await timersPending(clock, windows);
      clock.advance(stepMs);
    }
  };
  return { directory, clock, acquire, path, pass };
}

/** Resolves once a window waits for the clock again, because access to the disk takes real time. */
function timersPending(clock: FakeClock, windows = () => 1): Promise<void> {
  return until('a window waits for the clock', () => clock.pendingTimers >= windows());
}

test('a lock is held by one window at a time, and another window can acquire it once it is released', async (t) => {
  const { acquire, clock } = await begin(t);
  const first = await acquire('one', 0);
  assert.equal(await first?.isOurs(), true);
  assert.equal(await acquire('one', 0), undefined);
  assert.notEqual(await acquire('another', 0), undefined);
  await first?.release();
  assert.equal(await first?.isOurs(), false);
  assert.notEqual(await acquire('one', 0), undefined);
  assert.ok(clock.pendingTimers > 0);
});

test('a dead holder’s lock is taken over after it was seen unchanged for the takeover age, not earlier', async (t) => {
  const { acquire, path, pass, clock, directory } = await begin(t);
  await writeFile(path, 'dead000000000000 000000000007\n');
  let isAcquired = false;
  const acquiring = acquire('one', longWaitMs).then((lock) => {
    isAcquired = true;
    return lock;
  });
  await pass(timing.takeoverAgeMs - 2_000, 1_000);
  await timersPending(clock);
  assert.equal(isAcquired, false);
  await pass(10_000, 1_000, () => isAcquired);
  assert.equal(await (await acquiring)?.isOurs(), true);
  assert.deepEqual(await readdir(directory), ['one.lock']);
});

test('a gap between two polls of a lock, as after sleep, restarts the takeover age', async (t) => {
  const { acquire, path, pass, clock } = await begin(t);
  await writeFile(path, 'dead000000000000 000000000007\n');
  let isAcquired = false;
  void acquire('one', longWaitMs).then(() => {
    isAcquired = true;
  });
  await pass(timing.takeoverAgeMs - 2_000, 1_000);
  await timersPending(clock);
  // The computer sleeps for hours; the holder slept too and is about to continue.
  clock.jump(3 * 3_600_000);
  await pass(timing.takeoverAgeMs - 2_000, 1_000);
  await timersPending(clock);
  assert.equal(isAcquired, false);
  await pass(10_000, 1_000, () => isAcquired);
});

test('a lock’s holder increases the counter with each heartbeat and so keeps its lock', async (t) => {
  const { acquire, path, clock } = await begin(t);
  const holder = await acquire('one', 0);
  const before = await readFile(path, 'utf8');
  clock.advance(timing.heartbeatMs);
  await changed(path, before);
  assert.equal(await holder?.isOurs(), true, 'the counter has changed, but not the owner');
});

test('a lock’s heartbeat stops if its holder has not finished within the longest hold time', async (t) => {
  const { acquire, path, clock } = await begin(t);
  await acquire('one', 0);
  const before = await readFile(path, 'utf8');
  clock.advance(timing.heartbeatMs);
  await changed(path, before);
  await timersPending(clock);
  clock.jump(timing.longestHoldMs);
  const beforeLast = await readFile(path, 'utf8');
  clock.advance(timing.heartbeatMs);
  await changed(path, beforeLast);
  assert.equal(clock.pendingTimers, 0);
});

test('a holder that lost its lock neither changes nor removes the next holder’s lock', async (t) => {
  const { acquire, path, clock } = await begin(t);
  const holder = await acquire('one', 0);
  await rename(path, `${path}.aside`);
  const aside = await readFile(`${path}.aside`, 'utf8');
  const next = await acquire('one', 0);
  const nextContent = await readFile(path, 'utf8');
  // The first holder's heartbeat was already pending when the lock changed hands.
  clock.advance(timing.heartbeatMs);
  await changed(`${path}.aside`, aside);
  await changed(path, nextContent);
  assert.equal(await holder?.isOurs(), false);
  assert.equal(await next?.isOurs(), true);
  await holder?.release();
  assert.equal(await next?.isOurs(), true, 'releasing a lost lock does not remove the next holder’s');
});

test('of two windows that take over a dead holder’s lock only one acquires it', async (t) => {
  const { acquire, path, pass, directory } = await begin(t);
  await writeFile(path, 'dead000000000000 000000000007\n');
  const acquired: boolean[] = [];
  const waits = [1, 2].map(async () => {
    const lock = await acquire('one', timing.takeoverAgeMs + 5_000);
    acquired.push((await lock?.isOurs()) ?? false);
  });
  await pass(
    timing.takeoverAgeMs + 20_000,
    1_000,
    () => acquired.length === 2,
    () => 2 - acquired.filter((isOurs) => !isOurs).length,
  );
  await Promise.all(waits);
  assert.deepEqual(acquired.sort(), [false, true]);
  assert.deepEqual(await readdir(directory), ['one.lock']);
});

/** Resolves once the content of the file differs from `content`. */
function changed(path: string, content: string): Promise<void> {
  return until('the lock file changes', async () => (await readFile(path, 'utf8')) !== content);
}

/** Resolves once `holds` is true. @throws if that takes too long, so that a broken test fails instead of hanging */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + realLimitMs;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, `${what} within ${realLimitMs} ms`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
