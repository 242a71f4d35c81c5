import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { systemRandomness } from '../../../src/core/random.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { type HeldLock, Locks } from '../../../src/storage/lock.ts';
import { files } from '../accounts/machine.ts';
import { FakeClock } from '../fakeClock.ts';
import { foreignEntries } from './foreignEntries.ts';

const timing = { heartbeatMs: 1_000, pollMs: 100, takeoverAgeMs: 130_000, longestHoldMs: 120_000 };
const longWaitMs = 1_000_000_000;
/** How long a test waits in real time, on a machine that may be busy. */
const realLimitMs = 10_000;

async function begin(t: TestContext, disk: Files = files) {
  const directory = await mkdtemp(join(tmpdir(), 'lock-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const clock = new FakeClock();
  const held: HeldLock[] = [];
  t.after(() => Promise.all(held.map((lock) => lock.release())));
  /** Acquires the lock as a new window. */
  const acquire = async (name: string, waitMs: number) => {
    const lock = await new Locks(disk, directory, clock, systemRandomness, timing).acquire(name, waitMs);
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

describe('whatever lies in the place of a lock', () => {
  const obstacles = [
    ...foreignEntries,
    { what: 'an empty file', lay: (path: string) => writeFile(path, '') },
    { what: 'a file with anything else', lay: (path: string) => writeFile(path, 'anything else\n') },
    { what: 'a file of 2 MB', lay: (path: string) => writeFile(path, ' '.repeat(2_000_000)) },
    {
      what: 'a file that its user may not read',
      lay: async (path: string) => {
        await writeFile(path, 'dead000000000000 000000000007\n');
        await chmod(path, 0);
      },
    },
  ];

  /** Counts the attempts to create the lock. */
  async function beginCounting(t: TestContext) {
    const looks = { count: 0 };
    const createOpen: Files['createOpen'] = (path, text) => {
      looks.count += 1;
      return files.createOpen(path, text);
    };
    return { looks, ...(await begin(t, { ...files, createOpen })) };
  }

  for (const { what, lay, skip = false } of obstacles) {
    test(`${what} in the place of a lock lets a window look again only after each pause`, { skip }, async (t) => {
      const { acquire, looks, path, pass } = await beginCounting(t);
      await lay(path);
      const waitMs = 10 * timing.pollMs;
      let isDone = false;
      const acquiring = acquire('one', waitMs).finally(() => {
        isDone = true;
      });
      await pass(
        20 * timing.pollMs,
        timing.pollMs,
        () => isDone,
        () => (isDone ? 0 : 1),
      );
      assert.equal(await acquiring, undefined);
      assert.equal(looks.count, waitMs / timing.pollMs + 1);
    });

    test(`${what} in the place of a lock is moved aside after the takeover age, not earlier`, { skip }, async (t) => {
      const { acquire, path, pass, clock, directory } = await begin(t);
      await lay(path);
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
      const aside = (await readdir(directory)).filter((name) => name !== 'one.lock');
      assert.equal(aside.length, what === 'a directory' ? 1 : 0, 'only a directory cannot be removed');
    });
  }

  test('a lock that the disk does not let a window read is not waited for and stays in its place', async (t) => {
    // Moved aside, it would be lost to a holder that is alive, because another window can open no more files.
    let reads = 0;
    const read: Files['read'] = async () => {
      reads += 1;
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    };
    const { acquire, path, directory } = await begin(t, { ...files, read });
    await writeFile(path, 'other00000000000 000000000007\n');
    await assert.rejects(acquire('one', longWaitMs), { code: 'EMFILE' });
    assert.equal(reads, 1);
    assert.deepEqual(await readdir(directory), ['one.lock']);
  });
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
