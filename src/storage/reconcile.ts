import type { Log } from '../core/log.ts';
import type { Grant } from '../grants/grant.ts';
import type { Journal } from './journal.ts';
import type { SecretStore } from './secretStore.ts';
import type { SharedMachines } from './sharedMachines.ts';
import type { KnownGrant, Snapshot } from './snapshot.ts';
import type { StoreTransaction } from './transaction.ts';

export interface ReconcileParts {
  secretStore: SecretStore;
  /** Absent without a disk. */
  journal: Journal | undefined;
  machines: SharedMachines;
  /** Begins a transaction that changes a grant, without waiting for its lock. */
  begin: (grant: Grant) => Promise<StoreTransaction | undefined>;
  log: Log;
}

/**
 * Restores what another page's write erased from the secret store and what could not be written earlier, and removes
 * grants that were signed out. `known` is what this window holds in memory. Must not be called from a SecretStorage
 * event, or two windows would trigger each other endlessly. @throws the errors of SecretStorage and the file system
 */
export async function reconcile(known: Iterable<KnownGrant>, snapshot: Snapshot, parts: ReconcileParts): Promise<void> {
  const { secretStore, journal, log } = parts;
  for (const id of snapshot.damaged) {
    log.error('A stored sign-in cannot be read; setting it aside.', { account: { id } });
    await secretStore.quarantine(id);
  }
  for (const id of snapshot.merged) {
    // A crash came between the merged account's record and the removal of the other one.
    await journal?.writeTombstone(id).catch(() => undefined);
    await secretStore.delete(id);
    await journal?.forget(id);
  }
  if (journal === undefined) {
    return;
  }
  const copies = await secretStore.read();
  await parts.machines.announce();
  await restoreKeys(secretStore, journal);
  for (const { grant, readOnly } of known) {
    if (readOnly || snapshot.gone.has(grant.id) || snapshot.merged.includes(grant.id)) {
      continue;
    }
    const copy = copies.get(grant.id);
    if (copy === undefined || copy.kind === 'damaged') {
      log.info('A sign-in was missing from the secret storage; restoring it.', { account: grant });
      await secretStore.store(grant);
    }
    if ((snapshot.grants.get(grant.id)?.grant.generation ?? 0) < grant.generation) {
      await restoreRecord(grant, parts);
    }
  }
  for (const id of snapshot.gone) {
    if (copies.has(id)) {
      await secretStore.delete(id);
      await journal.forget(id);
    }
  }
  for (const id of await secretStore.readTombstones()) {
    // Signed out by another machine, or while this disk could not be written.
    if (!(await journal.hasTombstone(id))) {
      await journal.writeTombstone(id).catch(() => undefined);
      await journal.forget(id);
    }
  }
}

async function restoreKeys(secretStore: SecretStore, journal: Journal): Promise<void> {
  const storedKeys = new Set((await secretStore.readKeys()).map(({ id }) => id));
  for (const key of journal.keys) {
    if (!storedKeys.has(key.id)) {
      await secretStore.storeKey(key);
    }
  }
}

/** Stores a record that only this window holds in memory, because the disk could not be written. */
async function restoreRecord(grant: Grant, { begin, log }: ReconcileParts): Promise<void> {
  const transaction = await begin(grant);
  try {
    if (transaction !== undefined && (await transaction.read()) === grant) {
      await transaction.write(grant);
      log.info('Stored a record that could not be stored earlier.', { account: grant });
    }
  } finally {
    await transaction?.end();
  }
}
