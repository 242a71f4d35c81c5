import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import { AccountRegistry } from '../../../src/accounts/registry.ts';
import { StorageSync } from '../../../src/accounts/storageSync.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { RenewalScheduler } from '../../../src/renewal/scheduler.ts';
import { grantOf, openStorage } from '../storage/storageUnderTest.ts';
import { files, Machine } from './machine.ts';

const minute = 60_000;

/** Synchronizes a window that knows one account. `changed` is what the newest file watch calls. */
async function begin(t: TestContext, disk: Files | 'none' = files) {
  let changed = (): void => undefined;
  const watches = { begun: 0, closed: 0 };
  const watched =
    disk === 'none'
      ? disk
      : {
          ...disk,
          watch: (_: string, listener: () => void) => {
            changed = listener;
            watches.begun += 1;
            return {
              close: () => {
                watches.closed += 1;
              },
            };
          },
        };
  const storage = await openStorage(t, watched);
  await storage.store.store(grantOf(1));
  const known = new AccountRegistry(storage.clock, grantOf(1).serverUrl);
  known.load([{ grant: grantOf(1) }]);
  const events: string[] = [];
  known.onDidChange((change) => {
    for (const kind of ['added', 'changed', 'removed'] as const) {
      events.push(...change[kind].map(({ grant }) => `${kind} ${grant.label} ${grant.generation}`));
    }
  });
  const synced = Promise.withResolvers<void>();
  const { store, clock, log } = storage;
  const sync = new StorageSync({ store, known, clock, log, onSynced: () => synced.resolve() });
  await sync.begin(await store.read());
  return { ...storage, known, sync, events, synced: synced.promise, watches, changed: () => changed() };
}

test('a read of the storage that began before a sign-out does not bring the account back', async (t) => {
  const { sync, known, events } = await begin(t);
  const reading = sync.syncNow();
  known.forget(grantOf(1).id);
  await reading;
  assert.equal(known.get(grantOf(1).id), undefined);
  assert.deepEqual(
    events.map((event) => event.split(' ')[0]),
    ['removed'],
  );
});

test('a synchronization adopts what other windows have stored and removes what they signed out', async (t) => {
  const { store, sync, events } = await begin(t);
  await store.store(grantOf(1, 'other'));
  await store.store(grantOf(2));
  await sync.sync();
  assert.deepEqual(events.sort(), ['added ada other 1', 'changed ada grant 2']);
  events.length = 0;
  await store.writeTombstone('other');
  await sync.sync();
  assert.deepEqual(events, ['removed ada other 1']);
});

test('several hints of the file watch within a moment cause one read', async (t) => {
  const { journal, sync, clock, changed, events, synced } = await begin(t);
  assert.equal(sync.watchWorks, false);
  await journal?.write(grantOf(2));
  for (let count = 0; count < 5; count += 1) {
    changed();
  }
  assert.equal(sync.watchWorks, true);
  assert.equal(clock.pendingTimers, 1);
  assert.deepEqual(events, []);
  clock.advance(30);
  await synced;
  assert.deepEqual(events, ['changed ada grant 2']);
});

test('an event of the secret storage causes a read, but does not show that the file watch works', async (t) => {
  const { secretStore, sync, clock, events, synced } = await begin(t);
  await secretStore.store(grantOf(2));
  await Promise.resolve();
  clock.advance(30);
  await synced;
  assert.deepEqual(events, ['changed ada grant 2']);
  assert.equal(sync.watchWorks, false);
});

test('reads wait while a sign-in is being stored, except those of the sign-in itself', async (t) => {
  const { journal, sync, events } = await begin(t);
  const resumeFirst = sync.pause();
  const resumeSecond = sync.pause();
  await journal?.write(grantOf(2));
  const waiting = sync.sync();
  resumeSecond();
  await sync.syncNow();
  assert.deepEqual(events, ['changed ada grant 2'], 'the sign-in’s own read');
  await journal?.write(grantOf(3));
  let isDone = false;
  void waiting.then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isDone, false, 'the first sign-in is still being stored');
  resumeFirst();
  await waiting;
  assert.deepEqual(events, ['changed ada grant 2', 'changed ada grant 3']);
});

test('without a journal an account whose secret has vanished is removed', async (t) => {
  const { secretStore, sync, events } = await begin(t, 'none');
  await secretStore.delete('grant');
  await sync.sync();
  assert.deepEqual(events, ['removed ada grant 1']);
});

test('a repair that fails is logged, and the next synchronization repairs', async (t) => {
  const { secrets, sync, lines } = await begin(t);
  const { contents } = secrets;
  contents.delete('grant.grant');
  const set = contents.set.bind(contents);
  contents.set = () => {
    throw Object.assign(new Error('locked'), { code: 'KEYRING' });
  };
  await sync.sync();
  assert.match(lines.join('\n'), /The storage could not be repaired\. code=KEYRING/);
  assert.equal(contents.has('grant.grant'), false);
  contents.set = set;
  await sync.sync();
  assert.equal(contents.has('grant.grant'), true);
});

test('nothing is read any more after the end', async (t) => {
  const { journal, sync, clock, changed, events } = await begin(t);
  await journal?.write(grantOf(2));
  changed();
  sync.end();
  clock.advance(1_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events, []);
});

test('a read that began before a sign-out does not bring the account back', async (t) => {
  const { store, known, sync, events } = await begin(t);
  await store.store(grantOf(2));
  const reading = sync.sync();
  known.forget('grant');
  await store.remove('grant');
  await reading;
  assert.deepEqual(events, ['removed ada grant 1']);
  assert.equal(known.get('grant'), undefined);
});

describe('a file watch that may be mute', () => {
  test('a watch counts as working for ten minutes after it was heard, and then the storage is read every minute', async (t) => {
    const { sync, clock, changed } = await begin(t);
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
    const { sync, clock, changed, watches } = await begin(t);
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
  function schedule(t: TestContext, { sync, clock }: Awaited<ReturnType<typeof begin>>) {
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
    const begun = await begin(t);
    const { look } = schedule(t, begun);
    await begun.journal?.write(grantOf(2));
    await look(minute);
    assert.deepEqual(begun.events, ['changed ada grant 2']);
    await begun.journal?.write(grantOf(3));
    await look(minute);
    assert.deepEqual(begun.events, ['changed ada grant 2', 'changed ada grant 3']);
  });

  test('a watch that falls silent delays the next look by ten minutes, and those after it by one', async (t) => {
    const begun = await begin(t);
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
