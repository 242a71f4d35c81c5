import type { Clock } from '../core/clock.ts';
import { codeOf } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { newKey } from './encryption.ts';
import type { Entry, Journal } from './journal.ts';
import type { JournalFiles } from './journalFiles.ts';
import type { Locks } from './lock.ts';
import { heal } from './reconcile.ts';
import type { Vault } from './secretStore.ts';
import { type Known, newest, type Snapshot } from './snapshot.ts';
import { diskTransaction, type StoreTransaction, vaultTransaction } from './transaction.ts';

export interface GrantStoreParts {
  vault: Vault;
  /** Absent where there is no disk: then every change goes to the vault, and one window at a time is safe. */
  disk?: { journal: Journal; locks: Locks };
  clock: Clock;
  randomness: Randomness;
  log: Log;
  /** When this window was opened (wall clock); its view of the secret storage may be that old. */
  openedAtMs: number;
}

/** Vault, journal and locks as one: where grants lie, and the only way to change one. */
export class GrantStore {
  readonly #vault: Vault;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #log: Log;
  readonly #openedAtMs: number;
  #disk: { journal: Journal; locks: Locks } | undefined;
  #forgetful = false;
  #stale = false;
  #home: string | undefined;
  #isShared = false;
  #isUnreadable = false;

  constructor({ vault, disk, clock, randomness, log, openedAtMs }: GrantStoreParts) {
    this.#vault = vault;
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
  get isForgetful(): boolean {
    return this.#forgetful;
  }

  /**
   * This window loaded the secrets before another one put the journal's key there, and would erase it with the first
   * secret that it stores: on web hosts a page rewrites all that it loaded. A reload helps.
   */
  get isStale(): boolean {
    return this.#stale;
  }

  /** The id of this machine's journal; a grant's tokens are renewed first where they were obtained. */
  get home(): string | undefined {
    return this.#home;
  }

  /** Whether another machine that shares the secrets obtained these tokens, and is to renew them. */
  isGuest({ home }: Grant): boolean {
    return this.#home !== undefined && home !== undefined && home !== this.#home;
  }

  /** Makes journal and key ready. Where the disk refuses, the vault alone has to do. */
  async open(): Promise<void> {
    if (this.#disk === undefined) {
      this.#log.info('No journal here: what is signed in is safe for one window at a time.');
      return;
    }
    const { journal } = this.#disk;
    const hasProbe = await this.#vault.hasProbe();
    try {
      await journal.prepare();
      const markedAtMs = await journal.mark(this.#clock.nowMs());
      const misses = markedAtMs !== undefined && !hasProbe;
      this.#stale = misses && markedAtMs > this.#openedAtMs;
      this.#forgetful = misses && !this.#stale;
    } catch (error) {
      const code = codeOf(error);
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
    await this.#vault.storeProbe();
    const keys = await this.#vault.readKeys();
    if (keys.length === 0) {
      const key = newKey(this.#randomness);
      await this.#vault.storeKey(key);
      keys.push(key);
    }
    journal.learnKeys(keys);
  }

  /** Calls `changed` when another window may have changed something, and `fromDisk` tells that the watch works. */
  watch(changed: (fromDisk: boolean) => void): { dispose(): void } {
    const secrets = this.#vault.onDidChange(() => changed(false));
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
    const copies = await this.#vault.read();
    this.#disk?.journal.learnKeys(await this.#vault.readKeys());
    const { entries, gone } = await this.#readJournal();
    const homes = await this.#vault.readHomes();
    this.#isShared = this.#home !== undefined && homes.some((home) => home !== this.#home);
    for (const id of await this.#vault.readGone()) {
      gone.add(id);
    }
    const grants = new Map<string, Known>();
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
      this.#home ??= await this.#disk?.journal.home();
      const read = await this.#disk?.journal.read();
      this.#isUnreadable = false;
      return read ?? { entries: new Map(), gone: new Set() };
    } catch (error) {
      if (!this.#isUnreadable) {
        this.#log.warn('The journal cannot be read; sign-ins renew when it can be.', { code: codeOf(error) });
      }
      this.#isUnreadable = true;
      return { entries: new Map(), gone: new Set() };
    }
  }

  /** Puts right what other windows, pages and machines did to the storage; see `heal`. */
  async heal(known: Iterable<Known>, snapshot: Snapshot): Promise<void> {
    if (this.#stale) {
      return;
    }
    await heal(known, snapshot, {
      vault: this.#vault,
      journal: this.#disk?.journal,
      home: this.#home,
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
      return vaultTransaction(known, this.#vault);
    }
    const lock = await disk.locks.acquire(known.id, waitMs);
    return (
      lock &&
      diskTransaction(known, {
        vault: this.#vault,
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
    const stores = [this.#vault.store(grant), ...(journal === undefined ? [] : [journal.write(grant, replaced)])];
    const refusals = (await Promise.allSettled(stores)).filter((result) => result.status === 'rejected');
    for (const { reason } of refusals) {
      if (refusals.length === stores.length) {
        throw reason;
      }
      this.#log.warn('A sign-in is stored in one place only for now.', { grant: grant.id, code: codeOf(reason) });
    }
  }

  /** Says at once, and without waiting for anybody, that a grant is signed out. */
  async bury(grantId: string): Promise<void> {
    const isBuried = await this.#disk?.journal.bury(grantId).then(
      () => true,
      () => false,
    );
    if (isBuried === false || this.#isShared) {
      await this.#vault.storeGone(grantId);
    }
  }

  /** What is known last of a grant that was buried: the tokens that are to be revoked. */
  async lastOf(grantId: string): Promise<Grant | undefined> {
    const copy = await this.#vault.readOne(grantId);
    const entry = await this.#disk?.journal.lastOf(grantId);
    return newest(copy?.kind === 'damaged' ? undefined : copy, entry)?.grant;
  }

  /** Removes every trace of a grant but its tombstone. */
  async forget(grantId: string): Promise<void> {
    await this.#vault.delete(grantId);
    await this.#disk?.journal.forget(grantId);
  }
}
