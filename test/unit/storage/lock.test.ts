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
/** Of this machine's own time, which may be busy. */
const delayMs = 10_000;

async function begin(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'lock-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const clock = new FakeClock();
  const held: HeldLock[] = [];
  t.after(() => Promise.all(held.map((lock) => lock.release())));
  /** As another window each time. */
  const acquire = async (name: string, waitMs: number) => {
    const lock = await new Locks(files, directory, clock, systemRandomness, timing).acquire(name, waitMs);
    held.push(...(lock === undefined ? [] : [lock]));
    return lock;
  };
  const path = join(directory, 'one.lock');
  /** Lets disk and promises catch up with the clock before each step: until so many windows wait for it. */
  const pass = async (spanMs: number, stepMs: number, until = () => false, windows = () => 1) => {
    for (let goneMs = 0; goneMs < spanMs && !until(); goneMs += stepMs) {
      await waiting(clock, windows);
      clock.advance(stepMs);
    }
  };
  return { directory, clock, acquire, path, pass };
}

/** Resolves once somebody waits for the clock again: a look at the disk takes real time. */
function waiting(clock: FakeClock, windows = () => 1): Promise<void> {
  return until('somebody waits', () => clock.pendingTimers >= windows());
}

test('a lock is one window’s at a time, and the next one’s once it is released', async (t) => {
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

test('a dead holder’s lock is taken over once it was seen unchanged for the takeover age, not before', async (t) => {
  const { acquire, path, pass, clock, directory } = await begin(t);
  await writeFile(path, 'dead000000000000 000000000007\n');
  let taken = false;
  const acquiring = acquire('one', longWaitMs).then((lock) => {
    taken = true;
    return lock;
  });
  await pass(timing.takeoverAgeMs - 2_000, 1_000);
  await waiting(clock);
  assert.equal(taken, false);
  await pass(10_000, 1_000, () => taken);
  assert.equal(await (await acquiring)?.isOurs(), true);
  assert.deepEqual(await readdir(directory), ['one.lock']);
});

test('a gap between two looks, as a sleep makes, starts the count again', async (t) => {
  const { acquire, path, pass, clock } = await begin(t);
  await writeFile(path, 'dead000000000000 000000000007\n');
  let taken = false;
  void acquire('one', longWaitMs).then(() => {
    taken = true;
  });
  await pass(timing.takeoverAgeMs - 2_000, 1_000);
  await waiting(clock);
  // Hours pass while the lid is closed; the holder slept too and is about to go on.
  clock.jump(3 * 3_600_000);
  await pass(timing.takeoverAgeMs - 2_000, 1_000);
  await waiting(clock);
  assert.equal(taken, false);
  await pass(10_000, 1_000, () => taken);
});

test('a holder that lives is waited for, however long it takes within its time', async (t) => {
  const { acquire, path, clock } = await begin(t);
  const holder = await acquire('one', 0);
  const before = await readFile(path, 'utf8');
  clock.advance(timing.heartbeatMs);
  await changed(path, before);
  assert.equal(await holder?.isOurs(), true, 'its counter grew, its name stayed');
});

test('a holder that is not done in its time shows no more life', async (t) => {
  const { acquire, path, clock } = await begin(t);
  await acquire('one', 0);
  const before = await readFile(path, 'utf8');
  clock.advance(timing.heartbeatMs);
  await changed(path, before);
  await waiting(clock);
  clock.jump(timing.longestHoldMs);
  const beforeLast = await readFile(path, 'utf8');
  clock.advance(timing.heartbeatMs);
  await changed(path, beforeLast);
  assert.equal(clock.pendingTimers, 0);
});

test('a holder that lost its lock writes into nobody else’s', async (t) => {
  const { acquire, path, clock } = await begin(t);
  const holder = await acquire('one', 0);
  await rename(path, `${path}.aside`);
  const aside = await readFile(`${path}.aside`, 'utf8');
  const heir = await acquire('one', 0);
  const heirs = await readFile(path, 'utf8');
  // Its heartbeat was on its way when the lock changed hands.
  clock.advance(timing.heartbeatMs);
  await changed(`${path}.aside`, aside);
  await changed(path, heirs);
  assert.equal(await holder?.isOurs(), false);
  assert.equal(await heir?.isOurs(), true);
  await holder?.release();
  assert.equal(await heir?.isOurs(), true, 'and it removes nobody else’s');
});

test('of two that take over a dead holder’s lock one has it', async (t) => {
  const { acquire, path, pass, directory } = await begin(t);
  await writeFile(path, 'dead000000000000 000000000007\n');
  const had: boolean[] = [];
  const waits = [1, 2].map(async () => {
    const lock = await acquire('one', timing.takeoverAgeMs + 5_000);
    had.push((await lock?.isOurs()) ?? false);
  });
  await pass(
    timing.takeoverAgeMs + 20_000,
    1_000,
    () => had.length === 2,
    () => 2 - had.filter((has) => !has).length,
  );
  await Promise.all(waits);
  assert.deepEqual(had.sort(), [false, true]);
  assert.deepEqual(await readdir(directory), ['one.lock']);
});

/** Resolves once the file’s content is another one. */
function changed(path: string, content: string): Promise<void> {
  return until('the lock changes', async () => (await readFile(path, 'utf8')) !== content);
}

/** Resolves once it holds. @throws where it never does, so that what is broken fails instead of lasting */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + delayMs;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, `${what} within ${delayMs} ms`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
