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
import { type KnownGrant, newest, type Snapshot } from './snapshot.ts';
import { diskTransaction, type StoreTransaction, secretStoreTransaction } from './transaction.ts';

export interface GrantStoreParts {
  secretStore: SecretStore;
  /** Absent where there is no disk: then every change goes to the vault, and one window at a time is safe. */
  disk?: { journal: Journal; locks: Locks };
  clock: Clock;
  randomness: Randomness;
  log: Log;
  /** When this window was opened (wall clock); its view of the secret storage may be that old. */
  openedAtMs: number;
}

/** SecretStore, journal and locks as one: where grants lie, and the only way to change one. */
export class GrantStore {
  readonly #secretStore: SecretStore;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #log: Log;
  readonly #openedAtMs: number;
  #disk: { journal: Journal; locks: Locks } | undefined;
  #isVolatile = false;
  #stale = false;
  #machineId: string | undefined;
  #isShared = false;
  #isUnreadable = false;

  constructor({ secretStore, disk, clock, randomness, log, openedAtMs }: GrantStoreParts) {
    this.#secretStore = secretStore;
    this.#disk = disk;
    this.#clock = clock;
    this.#randomness = randomness;
    this.#log = log;
    this.#openedAtMs = openedAtMs;
  }

  /** Whether grants survive crashes and other windows. */
  get hasJournal(): boolean {
    return this.#disk !== undefined;
  }

  /** SecretStorage lost what an earlier start put there: on Linux, a machine without a keyring. */
  get isVolatile(): boolean {
    return this.#isVolatile;
  }

  /**
   * This window loaded the secrets before another one put the journal's key there, and would erase it with the first
   * secret that it stores: on web hosts a page rewrites all that it loaded. A reload helps.
   */
  get isStale(): boolean {
    return this.#stale;
  }

  /** The id of this machine's journal; a grant's tokens are renewed first where they were obtained. */
  get machineId(): string | undefined {
    return this.#machineId;
  }

  /** Whether another machine that shares the secrets obtained these tokens, and is to renew them. */
  belongsToOtherMachine({ machineId }: Grant): boolean {
    return this.#machineId !== undefined && machineId !== undefined && machineId !== this.#machineId;
  }

  /** Makes journal and key ready. Where the disk refuses, the vault alone has to do. */
  async open(): Promise<void> {
    if (this.#disk === undefined) {
      this.#log.info('No journal here: what is signed in is safe for one window at a time.');
      return;
    }
    const { journal } = this.#disk;
    const hasProbe = await this.#secretStore.hasProbe();
    try {
      await journal.prepare();
      const markedAtMs = await journal.mark(this.#clock.nowMs());
      const misses = markedAtMs !== undefined && !hasProbe;
      this.#stale = misses && markedAtMs > this.#openedAtMs;
      this.#isVolatile = misses && !this.#stale;
    } catch (error) {
      const code = systemErrorCode(error);
      if (!hasProbe) {
        this.#log.warn('The journal cannot be written: what is signed in is safe for one window at a time.', { code });
        this.#disk = undefined;
        return;
      }
      // The vault's copies are older than what the journal holds: nothing is renewed until the disk works again.
      this.#log.warn('The journal cannot be written now; sign-ins renew when it can be.', { code });
    }
    if (this.#stale) {
      this.#log.warn('Another window signed in after this one was opened; it has to be reloaded to see that.');
      return;
    }
    await this.#secretStore.storeProbe();
    const keys = await this.#secretStore.readKeys();
    if (keys.length === 0) {
      const key = newKey(this.#randomness);
      await this.#secretStore.storeKey(key);
      keys.push(key);
    }
    journal.learnKeys(keys);
  }

  /** Calls `changed` when another window may have changed something, and `fromDisk` tells that the watch works. */
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

  /** Everything there is. Writes nothing: it is also called from within events of the storage. */
  async read(): Promise<Snapshot> {
    const copies = await this.#secretStore.read();
    this.#disk?.journal.learnKeys(await this.#secretStore.readKeys());
    const { entries, gone } = await this.#readJournal();
    const machineIds = await this.#secretStore.readMachineIds();
    this.#isShared = this.#machineId !== undefined && machineIds.some((machineId) => machineId !== this.#machineId);
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
    return { grants, gone, damaged };
  }

  /** Of a journal that cannot be read the vault's copies are what is left; without it nothing is renewed. */
  async #readJournal(): Promise<{ entries: Map<string, Entry>; gone: Set<string> }> {
    try {
      this.#machineId ??= await this.#disk?.journal.machineId();
      const read = await this.#disk?.journal.read();
      this.#isUnreadable = false;
      return read ?? { entries: new Map(), gone: new Set() };
    } catch (error) {
      if (!this.#isUnreadable) {
        this.#log.warn('The journal cannot be read; sign-ins renew when it can be.', { code: systemErrorCode(error) });
      }
      this.#isUnreadable = true;
      return { entries: new Map(), gone: new Set() };
    }
  }

  /** Puts right what other windows, pages and machines did to the storage; see `heal`. */
  async reconcile(known: Iterable<KnownGrant>, snapshot: Snapshot): Promise<void> {
    if (this.#stale) {
      return;
    }
    await reconcile(known, snapshot, {
      secretStore: this.#secretStore,
      journal: this.#disk?.journal,
      machineId: this.#machineId,
      begin: (grant) => this.begin(grant, 0),
      log: this.#log,
    });
  }

  /** The journal's files, for a report; `undefined` where there is no journal or it cannot be listed. */
  async inspect(): Promise<JournalFiles | undefined> {
    return this.#disk?.journal.inspect().catch(() => undefined);
  }

  /** Begins to change a grant. @returns undefined when its lock cannot be had within `waitMs` */
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
        isShared: () => this.#isShared,
        log: this.#log,
      })
    );
  }

  /** Runs `action` while no other window of this machine runs one under the same name; `undefined` if it cannot. */
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

  /** Stores a sign-in: the vault's copy and the journal's record. One of them will do. @throws where neither takes it */
  async store(grant: Grant, replaced: Grant | undefined): Promise<void> {
    const { journal } = this.#disk ?? {};
    const stores = [this.#secretStore.store(grant), ...(journal === undefined ? [] : [journal.write(grant, replaced)])];
    const refusals = (await Promise.allSettled(stores)).filter((result) => result.status === 'rejected');
    for (const { reason } of refusals) {
      if (refusals.length === stores.length) {
        throw reason;
      }
      this.#log.warn('A sign-in is stored in one place only for now.', {
        grant: grant.id,
        code: systemErrorCode(reason),
      });
    }
  }

  /** Says at once, and without waiting for anybody, that a grant is signed out. */
  async writeTombstone(grantId: string): Promise<void> {
    const hasTombstone = await this.#disk?.journal.writeTombstone(grantId).then(
      () => true,
      () => false,
    );
    if (hasTombstone === false || this.#isShared) {
      await this.#secretStore.storeTombstone(grantId);
    }
  }

  /** What is known last of a grant that was buried: the tokens that are to be revoked. */
  async lastOf(grantId: string): Promise<Grant | undefined> {
    const copy = await this.#secretStore.readOne(grantId);
    const entry = await this.#disk?.journal.lastOf(grantId);
    return newest(copy?.kind === 'damaged' ? undefined : copy, entry)?.grant;
  }

  /** Removes every trace of a grant but its tombstone. */
  async forget(grantId: string): Promise<void> {
    await this.#secretStore.delete(grantId);
    await this.#disk?.journal.forget(grantId);
  }
}
