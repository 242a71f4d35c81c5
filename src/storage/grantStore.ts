import type { Clock } from '../core/clock.ts';
import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { Failure } from '../oauth/errors.ts';
import type { JournalKey } from './encryption.ts';
import type { Journal, JournalContents } from './journal.ts';
import { JournalAvailability } from './journalAvailability.ts';
import type { JournalFiles } from './journalFiles.ts';
import { ensureKey } from './journalKey.ts';
import type { Locks } from './lock.ts';
import { type AssignedNames, assignNames, type NameRequest } from './nameRegistry.ts';
import { reconcile } from './reconcile.ts';
import type { SecretStore } from './secretStore.ts';
import { SharedMachines } from './sharedMachines.ts';
import { combine, type KnownGrant, newest, type Snapshot } from './snapshot.ts';
import { diskTransaction, type StoreTransaction, secretStoreTransaction } from './transaction.ts';
import type { Usage } from './usage.ts';

export interface GrantStoreParts {
  secretStore: SecretStore;
  /** Absent without a disk: every change then goes to the secret store, which is safe with one window at a time. */
  disk?: { journal: Journal; locks: Locks };
  clock: Clock;
  randomness: Randomness;
  log: Log;
  usage: Usage;
}

/** What counts as read where there is no journal or it cannot be read. */
const noContents: JournalContents = { entries: new Map(), gone: new Set(), keyless: new Set() };

/** Secret store, journal and locks combined: where grants are stored, and the only interface that changes them. */
export class GrantStore {
  readonly machines: SharedMachines;
  readonly #secretStore: SecretStore;
  readonly #randomness: Randomness;
  readonly #log: Log;
  readonly #usage: Usage;
  readonly #availability: JournalAvailability | undefined;
  #disk: { journal: Journal; locks: Locks } | undefined;
  #isInUse = false;
  #hasRead = false;
  #isStale = false;
  #isKeyLost = false;

  constructor({ secretStore, disk, clock, randomness, log, usage }: GrantStoreParts) {
    this.#secretStore = secretStore;
    this.#disk = disk;
    this.#availability = disk && new JournalAvailability(disk.journal, log);
    this.#randomness = randomness;
    this.#log = log;
    this.#usage = usage;
    this.machines = new SharedMachines({ secretStore, clock, randomness, log });
  }

  /** The keys of the journal that this window knows. */
  get journalKeys(): readonly JournalKey[] {
    return this.#disk?.journal.keys ?? [];
  }

  /** Whether grants survive crashes and changes by other windows. */
  get hasJournal(): boolean {
    return this.#disk !== undefined;
  }

  /** Whether SecretStorage lost the key of a record, as it does at each exit of the editor on Linux without a keyring. */
  get isKeyLost(): boolean {
    return this.#isKeyLost;
  }

  /** Whether other users can change the journal's directory, which is then not used. */
  get isExposed(): boolean {
    return this.#availability?.isExposed ?? false;
  }

  /**
   * Whether this window loaded the secrets before another window stored a key of the journal. It would erase that key
   * with the first secret that it stores, because on web hosts a page rewrites all secrets that it loaded. A reload helps.
   */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Prepares the journal. If the disk cannot be used and holds no account, only the secret store is used. */
  async open(): Promise<void> {
    if (this.#disk === undefined) {
      this.#log.info('No journal is available; sign-ins are safe only while one window is open.');
    } else if (!(await this.#availability?.prepare()) && !(await this.#mayHaveRecords())) {
      this.#disk = undefined;
    }
  }

  /** Whether a journal that cannot be used now may hold newer records than the secret store: it has a key by then. */
  async #mayHaveRecords(): Promise<boolean> {
    return (await this.#hasAccounts()) && (await this.#secretStore.readKeys()).length > 0;
  }

  /** Whether an account may be stored. Once true, the secret store is used. */
  async #hasAccounts(): Promise<boolean> {
    // A directory that cannot be listed may hold records.
    this.#isInUse ||= this.#usage.get() || ((await this.#disk?.journal.hasRecords().catch(() => true)) ?? false);
    return this.#isInUse;
  }

  /** Calls `changed` when another window may have changed something; `fromDisk` shows that the file watch works. */
  watch(changed: (fromDisk: boolean) => void): { dispose(): void } {
    const secrets = this.#secretStore.onDidChange(() => {
      this.#isInUse = true;
      changed(false);
    });
    const disk = this.#disk?.journal.watch(() => changed(true));
    return {
      dispose: () => {
        secrets.dispose();
        disk?.close();
      },
    };
  }

  /**
   * Reads everything that is stored, or nothing if there is no sign of an account outside the secret store. Writes
   * nothing to the storage, because it is also called from SecretStorage events.
   */
  async read(): Promise<Snapshot> {
    if (!(await this.#hasAccounts())) {
      return combine(new Map(), new Map(), new Set());
    }
    const copies = await this.#secretStore.read();
    this.#disk?.journal.addKeys(await this.#secretStore.readKeys());
    await this.machines.read(this.#disk?.journal);
    const { entries, gone, keyless } = (this.#disk && (await this.#availability?.read())) ?? noContents;
    this.#isStale = [...entries.values()].some(({ kind }) => kind === 'stale');
    const snapshot = combine(copies, entries, new Set([...gone, ...(await this.#secretStore.readTombstones())]));
    this.#isKeyLost = [...keyless].some((id) => !entries.has(id) && !snapshot.grants.has(id));
    const isEmpty = copies.size + entries.size === 0 && this.#availability?.isUnreadable !== true;
    if (isEmpty && !this.#hasRead) {
      this.#usage.set(false);
    }
    this.#hasRead = true;
    return snapshot;
  }

  /** Repairs what other windows, pages and machines did to the storage; see `reconcile.ts`. */
  async reconcile(known: Iterable<KnownGrant>, snapshot: Snapshot): Promise<void> {
    const { journal } = this.#disk ?? {};
    // The directory may have been deleted or made accessible to others meanwhile.
    const isUsable = journal === undefined || (await this.#availability?.prepare());
    if (!isUsable || this.#isStale || !this.#isInUse) {
      return;
    }
    if (journal !== undefined) {
      await ensureKey(journal, this.#secretStore, this.#randomness);
    }
    await reconcile(known, snapshot, {
      secretStore: this.#secretStore,
      journal,
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
    if (this.isExposed) {
      throw new Failure('transient', { step: 'storage', code: 'not_private' });
    }
    if (!this.#isStale) {
      // Where the key cannot be stored, the transaction stores its changes in the secret store.
      await ensureKey(disk.journal, this.#secretStore, this.#randomness).catch(() => undefined);
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
  exclusively<T>(name: string, waitMs: number, action: () => Promise<T>): Promise<T | undefined> {
    return this.#disk?.locks.exclusively(name, waitMs, action) ?? action();
  }

  /**
   * Names an account, and remembers that before anybody sees the names.
   * @returns `undefined` if the installation's lock cannot be acquired within `waitMs` @throws the storage's error
   */
  assignNames(request: NameRequest, waitMs: number): Promise<AssignedNames | undefined> {
    return this.exclusively('installation', waitMs, async () => {
      const { journal } = this.#disk ?? {};
      if (journal !== undefined) {
        await ensureKey(journal, this.#secretStore, this.#randomness);
      }
      const place = journal ?? this.#secretStore;
      return assignNames(place, request, { keys: journal?.keys ?? [], randomness: this.#randomness });
    });
  }

  /** To be called before a sign-in is stored: from now on the secret store is used, whatever else is stored. */
  beginUse(): void {
    this.#isInUse = true;
  }

  /** Stores a sign-in in the secret store and the journal; one of them is enough. @throws the error if both fail */
  async store(grant: Grant): Promise<void> {
    this.#usage.set(true);
    const journal = this.isExposed ? undefined : this.#disk?.journal;
    const write = async (to: Journal): Promise<void> => {
      await ensureKey(to, this.#secretStore, this.#randomness);
      await to.write(grant);
    };
    const stores = [this.#secretStore.store(grant), ...(journal === undefined ? [] : [write(journal)])];
    const failures = (await Promise.allSettled(stores)).filter((result) => result.status === 'rejected');
    for (const { reason } of failures) {
      if (failures.length === stores.length) {
        throw reason;
      }
      this.#log.warn('A sign-in could be stored in only one place for now.', {
        account: grant,
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
