import type { Clock } from '../core/clock.ts';
import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { newKey } from './encryption.ts';
import type { Entry, Journal } from './journal.ts';
import type { JournalFiles } from './journalFiles.ts';
import type { Locks } from './lock.ts';
import { reconcile } from './reconcile.ts';
import type { SecretStore } from './secretStore.ts';
import { SharedMachines } from './sharedMachines.ts';
import { type KnownGrant, newest, type Snapshot } from './snapshot.ts';
import { diskTransaction, type StoreTransaction, secretStoreTransaction } from './transaction.ts';

export interface GrantStoreParts {
  secretStore: SecretStore;
  /** Absent without a disk: every change then goes to the secret store, which is safe with one window at a time. */
  disk?: { journal: Journal; locks: Locks };
  clock: Clock;
  randomness: Randomness;
  log: Log;
  /** When this window was opened (wall clock, ms); its view of SecretStorage may be that old. */
  openedAtMs: number;
}

/** Secret store, journal and locks combined: where grants are stored, and the only interface that changes them. */
export class GrantStore {
  readonly machines: SharedMachines;
  readonly #secretStore: SecretStore;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #log: Log;
  readonly #openedAtMs: number;
  #disk: { journal: Journal; locks: Locks } | undefined;
  #isVolatile = false;
  #stale = false;
  #isUnreadable = false;

  constructor({ secretStore, disk, clock, randomness, log, openedAtMs }: GrantStoreParts) {
    this.#secretStore = secretStore;
    this.#disk = disk;
    this.#clock = clock;
    this.#randomness = randomness;
    this.#log = log;
    this.#openedAtMs = openedAtMs;
    this.machines = new SharedMachines({ secretStore, clock, randomness, log });
  }

  /** Whether grants survive crashes and changes by other windows. */
  get hasJournal(): boolean {
    return this.#disk !== undefined;
  }

  /** Whether SecretStorage lost what an earlier start stored, as on Linux without a keyring. */
  get isVolatile(): boolean {
    return this.#isVolatile;
  }

  /**
   * Whether this window loaded the secrets before another window stored the journal's key. It would erase that key with
   * the first secret that it stores, because on web hosts a page rewrites all secrets that it loaded. A reload helps.
   */
  get isStale(): boolean {
    return this.#stale;
  }

  /** Prepares the journal and its key. If the disk cannot be written, only the secret store is used. */
  async open(): Promise<void> {
    if (this.#disk === undefined) {
      this.#log.info('No journal is available; sign-ins are safe only while one window is open.');
      return;
    }
    const { journal } = this.#disk;
    const hasProbe = await this.#secretStore.hasProbe();
    try {
      await journal.prepare();
      const markedAtMs = await journal.mark(this.#clock.nowMs());
      const lostProbe = markedAtMs !== undefined && !hasProbe;
      this.#stale = lostProbe && markedAtMs > this.#openedAtMs;
      this.#isVolatile = lostProbe && !this.#stale;
    } catch (error) {
      const code = systemErrorCode(error);
      if (!hasProbe) {
        this.#log.warn('The journal cannot be written; sign-ins are safe only while one window is open.', { code });
        this.#disk = undefined;
        return;
      }
      // The secret store's copies are older than the journal's records: nothing is renewed until the disk works again.
      this.#log.warn('The journal cannot be written now; sign-ins will be renewed once it can be.', { code });
    }
    if (this.#stale) {
      this.#log.warn('Another window signed in after this one was opened; reload this window to use that sign-in.');
      return;
    }
    await this.#secretStore.storeProbe();
    const keys = await this.#secretStore.readKeys();
    if (keys.length === 0) {
      const key = newKey(this.#randomness);
      await this.#secretStore.storeKey(key);
      keys.push(key);
    }
    journal.addKeys(keys);
  }

  /** Calls `changed` when another window may have changed something; `fromDisk` shows that the file watch works. */
  watch(changed: (fromDisk: boolean) => void): { dispose(): void } {
    const secrets = this.#secretStore.onDidChange(() => changed(false));
    const disk = this.#disk?.journal.watch(() => changed(true));
    return {
      dispose: () => {
        secrets.dispose();
        disk?.close();
      },
    };
  }

  /** Reads everything that is stored. Writes nothing, because it is also called from SecretStorage events. */
  async read(): Promise<Snapshot> {
    const copies = await this.#secretStore.read();
    this.#disk?.journal.addKeys(await this.#secretStore.readKeys());
    await this.machines.read(this.#disk?.journal);
    const { entries, gone } = await this.#readJournal();
    for (const id of await this.#secretStore.readTombstones()) {
      gone.add(id);
    }
    const grants = new Map<string, KnownGrant>();
    const damaged: string[] = [];
    for (const id of new Set([...copies.keys(), ...entries.keys()])) {
      if (gone.has(id)) {
        continue;
      }
      const copy = copies.get(id);
      const known = newest(copy?.kind === 'damaged' ? undefined : copy, entries.get(id));
      if (known !== undefined) {
        grants.set(id, known);
      } else if (copy?.kind === 'damaged' && !entries.has(id)) {
        damaged.push(id);
      }
    }
    const merged = [...grants.values()]
      .flatMap(({ grant }) => grant.mergedFrom ?? [])
      .filter((id) => grants.delete(id));
    return { grants, gone, merged, damaged };
  }

  /** If the journal cannot be read, only the secret store's copies remain, and nothing is renewed. */
  async #readJournal(): Promise<{ entries: Map<string, Entry>; gone: Set<string> }> {
    try {
      const read = await this.#disk?.journal.read();
      this.#isUnreadable = false;
      return read ?? { entries: new Map(), gone: new Set() };
    } catch (error) {
      if (!this.#isUnreadable) {
        this.#log.warn('The journal cannot be read; sign-ins will be renewed once it can be.', {
          code: systemErrorCode(error),
        });
      }
      this.#isUnreadable = true;
      return { entries: new Map(), gone: new Set() };
    }
  }

  /** Repairs what other windows, pages and machines did to the storage; see `reconcile.ts`. */
  async reconcile(known: Iterable<KnownGrant>, snapshot: Snapshot): Promise<void> {
    if (this.#stale) {
      return;
    }
    await reconcile(known, snapshot, {
      secretStore: this.#secretStore,
      journal: this.#disk?.journal,
      machines: this.machines,
      begin: (grant) => this.begin(grant, 0),
      log: this.#log,
    });
  }

  /** The journal's files, for a report; `undefined` if there is no journal or it cannot be listed. */
  async inspect(): Promise<JournalFiles | undefined> {
    return this.#disk?.journal.inspect().catch(() => undefined);
  }

  /** Begins a transaction that changes a grant. @returns `undefined` if its lock cannot be acquired within `waitMs` */
  async begin(known: Grant, waitMs: number): Promise<StoreTransaction | undefined> {
    const disk = this.#disk;
    if (disk === undefined) {
      return secretStoreTransaction(known, this.#secretStore);
    }
    const lock = await disk.locks.acquire(known.id, waitMs);
    return (
      lock &&
      diskTransaction(known, {
        secretStore: this.#secretStore,
        journal: disk.journal,
        lock,
        machines: this.machines,
        log: this.#log,
      })
    );
  }

  /**
   * Runs `action` while no other window of this machine runs one under the same name.
   * @returns `undefined` if the lock cannot be acquired within `waitMs`
   */
  async exclusively<T>(name: string, waitMs: number, action: () => Promise<T>): Promise<T | undefined> {
    const lock = await this.#disk?.locks.acquire(name, waitMs).catch(() => undefined);
    if (this.#disk !== undefined && lock === undefined) {
      return undefined;
    }
    try {
      return await action();
    } finally {
      await lock?.release().catch(() => undefined);
    }
  }

  /** Stores a sign-in in the secret store and the journal; one of them is enough. @throws the error if both fail */
  async store(grant: Grant): Promise<void> {
    const { journal } = this.#disk ?? {};
    const stores = [this.#secretStore.store(grant), ...(journal === undefined ? [] : [journal.write(grant)])];
    const failures = (await Promise.allSettled(stores)).filter((result) => result.status === 'rejected');
    for (const { reason } of failures) {
      if (failures.length === stores.length) {
        throw reason;
      }
      this.#log.warn('A sign-in could be stored in only one place for now.', {
        grant: grant.id,
        code: systemErrorCode(reason),
      });
    }
  }

  /** Marks a grant as signed out at once, without waiting for a lock. */
  async writeTombstone(grantId: string): Promise<void> {
    const hasTombstone = await this.#disk?.journal.writeTombstone(grantId).then(
      () => true,
      () => false,
    );
    if (hasTombstone === false || this.machines.isShared) {
      await this.#secretStore.storeTombstone(grantId);
    }
  }

  /** The newest stored state of a grant, even of one that has a tombstone: its tokens are to be revoked. */
  async readNewest(grantId: string): Promise<Grant | undefined> {
    const copy = await this.#secretStore.readOne(grantId);
    const entry = await this.#disk?.journal.readNewest(grantId);
    return newest(copy?.kind === 'damaged' ? undefined : copy, entry)?.grant;
  }

  /** Signs a grant out whose lock this window holds, and removes it. @throws the storage's error */
  async remove(grantId: string): Promise<void> {
    await this.writeTombstone(grantId);
    await this.forget(grantId);
  }

  /** Removes every trace of a grant except its tombstone. */
  async forget(grantId: string): Promise<void> {
    await this.#secretStore.delete(grantId);
    await this.#disk?.journal.forget(grantId);
  }
}
