import type { TestContext } from 'node:test';
import { AccountRegistry } from '../../../src/accounts/registry.ts';
import { StorageSync } from '../../../src/accounts/storageSync.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { grantOf, openStorage } from '../storage/storageUnderTest.ts';
import { files } from './machine.ts';

/** Synchronizes a window that knows one account. `changed` is what the newest file watch calls. */
export async function beginSync(t: TestContext, disk: Files | 'none' = files) {
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
