import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import { RenewalScheduler } from '../../../src/renewal/scheduler.ts';
import { grantOf } from '../storage/storageUnderTest.ts';
import { files, Machine } from './machine.ts';
import { beginSync } from './storageSyncUnderTest.ts';

const minute = 60_000;

describe('a file watch that may be mute', () => {
  test('a watch counts as working for ten minutes after it was heard, and then the storage is read every minute', async (t) => {
    const { sync, clock, changed } = await beginSync(t);
    assert.deepEqual([sync.watchWorks, sync.lookInMs], [false, minute]);
    changed();
    assert.deepEqual([sync.watchWorks, sync.lookInMs], [true, 10 * minute]);
    clock.advance(9 * minute + 50_000);
    assert.deepEqual([sync.watchWorks, sync.lookInMs], [true, 10_000]);
    changed();
    assert.equal(sync.lookInMs, 10 * minute);
    clock.advance(10 * minute);
    assert.deepEqual([sync.watchWorks, sync.lookInMs], [false, minute]);
  });

  test('a watch that was not heard lately is begun anew at the next look, and one that works is kept', async (t) => {
    const { sync, clock, changed, watches } = await beginSync(t);
    await sync.sync();
    assert.deepEqual(watches, { begun: 2, closed: 1 });
    changed();
    await sync.sync();
    assert.deepEqual(watches, { begun: 2, closed: 1 }, 'it was just heard');
    clock.advance(10 * minute);
    await sync.sync();
    assert.deepEqual(watches, { begun: 3, closed: 2 });
    changed();
    assert.equal(sync.watchWorks, true, 'the new watch is heard');
    sync.end();
    clock.advance(10 * minute);
    await sync.sync();
    assert.deepEqual(watches, { begun: 3, closed: 3 }, 'no watch is begun after the end');
  });

  /** Lets the scheduler decide when the storage is read; `looked` resolves after its next look. */
  function schedule(t: TestContext, { sync, clock }: Awaited<ReturnType<typeof beginSync>>) {
    const looks = { count: 0, next: Promise.withResolvers<void>() };
    const scheduler = new RenewalScheduler({
      accounts: {
        grants: () => [],
        renew: async () => undefined,
        sync: async () => {
          looks.count += 1;
          await sync.sync();
        },
        lookInMs: () => {
          // The scheduler plans its next look when it has ended the last one.
          looks.next.resolve();
          looks.next = Promise.withResolvers();
          return sync.lookInMs;
        },
      },
      renewal: { retryAtMs: () => undefined, confirmAtMs: () => undefined, wokeUp: () => undefined },
      machines: { renewAtMs: () => Number.POSITIVE_INFINITY },
      clock,
      randomness: { bytes: (count) => new Uint8Array(count), fraction: () => 0 },
    });
    t.after(() => scheduler.end());
    scheduler.plan();
    /** Advances the clock to the next look, which ends before this resolves. */
    const look = async (spanMs: number): Promise<void> => {
      const { count, next } = looks;
      clock.advance(spanMs - 1);
      assert.equal(looks.count, count, 'not earlier');
      clock.advance(1);
      assert.equal(looks.count, count + 1);
      await next.promise;
    };
    return { scheduler, look };
  }

  test('with a mute watch, changes of other windows are read within a minute', async (t) => {
    const begun = await beginSync(t);
    const { look } = schedule(t, begun);
    await begun.journal?.write(grantOf(2));
    await look(minute);
    assert.deepEqual(begun.events, ['changed ada grant 2']);
    await begun.journal?.write(grantOf(3));
    await look(minute);
    assert.deepEqual(begun.events, ['changed ada grant 2', 'changed ada grant 3']);
  });

  test('a watch that falls silent delays the next look by ten minutes, and those after it by one', async (t) => {
    const begun = await beginSync(t);
    begun.changed();
    const { look } = schedule(t, begun);
    await begun.journal?.write(grantOf(2));
    begun.clock.advance(30);
    await begun.synced;
    await begun.journal?.write(grantOf(3));
    await look(10 * minute - 30);
    assert.deepEqual(begun.events, ['changed ada grant 2', 'changed ada grant 3']);
    await look(minute);
  });

  /** A window with a real watch on the disk; `heard` resolves at its first event. */
  async function watching(t: TestContext) {
    const machine = await Machine.start(t);
    machine.server.lifeSeconds = 1_000_000;
    machine.secrets.announces = false;
    const watches = { begun: 0, heard: Promise.withResolvers<void>() };
    const window = await machine.open({
      files: {
        ...files,
        watch: (path, changed) => {
          watches.begun += 1;
          return files.watch(path, () => {
            changed();
            watches.heard.resolve();
          });
        },
      },
    });
    return { machine, window, watches };
  }

  test('a window’s own write shows that its watch works', async (t) => {
    const { machine, window, watches } = await watching(t);
    assert.equal((await window.accounts.diagnostics()).watchWorks, false);
    await window.accounts.storeSignIn(machine.server.signIn('ada'));
    await watches.heard.promise;
    assert.equal((await window.accounts.diagnostics()).watchWorks, true);
  });

  test('a change is heard again after the directory was deleted and made again', async (t) => {
    const { machine, window, watches } = await watching(t);
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    await watches.heard.promise;
    await rm(machine.directory, { recursive: true });
    const { begun } = watches;
    // The deletion may be heard of until long after it.
    for (let looks = 0; watches.begun === begun && looks < 100; looks += 1) {
      machine.clock.aheadMs += 11 * minute;
      await window.accounts.wakeUp();
    }
    assert.ok(watches.begun > begun, 'a new watch was begun');
    const other = await machine.open();
    await other.accounts.renew(grant.id, { reason: 'asked' });
    await window.waitForEvent('changed ada (wiki)');
  });
});
