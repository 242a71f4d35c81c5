import type { Clock, Randomness } from '../clock.ts';
import type { Log } from '../log.ts';
import { Failure } from '../oauth/failure.ts';
import type { Grant } from './grant.ts';
import type { Entry, Journal, JournalFiles, Reserved } from './journal.ts';
import type { HeldLock, Locks } from './lock.ts';
import { newKey } from './seal.ts';
import type { Vault } from './vault.ts';

/** A grant as this window knows it. `readOnly`: others know more, or it was written by a newer version. */
export interface Known {
  grant: Grant;
  readOnly: boolean;
}

export interface Snapshot {
  grants: Map<string, Known>;
  /** Signed out, in whatever window. */
  gone: ReadonlySet<string>;
  /** Records of the vault that cannot be read and of which the journal has no copy. */
  damaged: string[];
}

/** A change of one grant, under its lock. */
export interface StoreTransaction {
  /** The truth of now. @throws Failure when it was signed out, or when this window may not touch it */
  read(): Promise<Grant>;
  /** Whether the lock is still ours; to be asked before anything is sent or written. */
  isOurs(): Promise<boolean>;
  isGone(): Promise<boolean>;
  reserve(like: Grant): Promise<Reserved>;
  write(grant: Grant, replaced: Grant | undefined): Promise<void>;
  keptAside(): Promise<Grant[]>;
  end(): Promise<void>;
}

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

  /** Makes journal and key ready. Where the disk refuses, the vault alone has to do. */
  async open(): Promise<void> {
    if (this.#disk === undefined) {
      this.#log.info('No journal here: what is signed in is safe for one window at a time.');
      return;
    }
    const { journal } = this.#disk;
    try {
      await journal.prepare();
      const markedAtMs = await journal.mark(this.#clock.nowMs());
      const misses = markedAtMs !== undefined && !(await this.#vault.hasProbe());
      this.#stale = misses && markedAtMs > this.#openedAtMs;
      this.#forgetful = misses && !this.#stale;
    } catch (error) {
      this.#log.warn('The journal cannot be written: what is signed in is safe for one window at a time.', {
        code: error instanceof Error && 'code' in error ? String(error.code) : undefined,
      });
      this.#disk = undefined;
      return;
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
    const { entries, gone } = (await this.#disk?.journal.read()) ?? {
      entries: new Map<string, Entry>(),
      gone: new Set<string>(),
    };
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

  /**
   * Puts back into the vault what another page's write erased from it, and takes out what was signed out. Never called
   * from within an event of the storage: two windows would answer each other for ever.
   */
  async heal(known: Iterable<Known>, { gone, damaged }: Snapshot): Promise<void> {
    if (this.#stale) {
      return;
    }
    for (const id of damaged) {
      this.#log.error('A stored sign-in cannot be read; it is kept aside.', { grant: id });
      await this.#vault.setAside(id);
    }
    if (this.#disk === undefined) {
      return;
    }
    const copies = await this.#vault.read();
    const storedKeys = new Set((await this.#vault.readKeys()).map(({ id }) => id));
    for (const key of this.#disk.journal.keys) {
      if (!storedKeys.has(key.id)) {
        await this.#vault.storeKey(key);
      }
    }
    for (const { grant, readOnly } of known) {
      const copy = copies.get(grant.id);
      if (!readOnly && !gone.has(grant.id) && (copy === undefined || copy.kind === 'damaged')) {
        this.#log.info('A sign-in was missing from the secret storage; it was put back.', { grant: grant.id });
        await this.#vault.store(grant);
      }
    }
    for (const id of gone) {
      if (copies.has(id)) {
        await this.#vault.delete(id);
      }
    }
  }

  /** The journal's files, for a report; `undefined` where there is no journal or it cannot be listed. */
  async inspect(): Promise<JournalFiles | undefined> {
    return this.#disk?.journal.inspect().catch(() => undefined);
  }

  /** Begins to change a grant. @returns undefined when its lock cannot be had within `waitMs` */
  async begin(known: Grant, waitMs: number): Promise<StoreTransaction | undefined> {
    const disk = this.#disk;
    if (disk === undefined) {
      return this.#vaultTransaction(known);
    }
    const lock = await disk.locks.acquire(known.id, waitMs);
    return lock === undefined ? undefined : this.#diskTransaction(known, disk.journal, lock);
  }

  /** Runs `action` while no other window of this machine runs one under the same name; `undefined` if it cannot. */
  async exclusively<T>(name: string, waitMs: number, action: () => Promise<T>): Promise<T | undefined> {
    const lock = await this.#disk?.locks.acquire(name, waitMs);
    if (this.#disk !== undefined && lock === undefined) {
      return undefined;
    }
    try {
      return await action();
    } finally {
      await lock?.release();
    }
  }

  /** Stores a sign-in: the vault's copy and the journal's record. */
  async store(grant: Grant, replaced: Grant | undefined): Promise<void> {
    await this.#disk?.journal.write(grant, replaced);
    await this.#vault.store(grant);
  }

  /** Says at once, and without waiting for anybody, that a grant is signed out. */
  async bury(grantId: string): Promise<void> {
    await this.#disk?.journal.bury(grantId);
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

  #diskTransaction(known: Grant, journal: Journal, lock: HeldLock): StoreTransaction {
    return {
      read: async () => {
        const entry = await journal.readOne(known.id);
        if (entry === 'gone') {
          throw new Failure('signInAgain', { step: 'storage', code: 'signed_out' });
        }
        const copy = await this.#vault.readOne(known.id);
        const found = newest(copy?.kind === 'damaged' ? undefined : copy, entry);
        if (found?.readOnly) {
          throw new Failure('transient', { step: 'storage', code: 'read_only' });
        }
        return found !== undefined && found.grant.generation >= known.generation ? found.grant : known;
      },
      isOurs: () => lock.isOurs(),
      isGone: () => journal.isBuried(known.id),
      reserve: (like) => journal.reserve(like),
      write: (grant, replaced) => journal.write(grant, replaced),
      keptAside: () => journal.keptAside(known.id),
      end: () => lock.release(),
    };
  }

  #vaultTransaction(known: Grant): StoreTransaction {
    const vault = this.#vault;
    return {
      read: async () => {
        const copy = await vault.readOne(known.id);
        if (copy?.kind === 'newer') {
          throw new Failure('transient', { step: 'storage', code: 'read_only' });
        }
        return copy?.kind === 'grant' && copy.grant.generation >= known.generation ? copy.grant : known;
      },
      isOurs: async () => true,
      isGone: async () => (await vault.readOne(known.id)) === undefined,
      reserve: async () => ({
        commit: (grant) => vault.store(grant),
        keepAside: async () => undefined,
        discard: async () => undefined,
      }),
      write: (grant) => vault.store(grant),
      keptAside: async () => [],
      end: async () => undefined,
    };
  }
}

/** The higher generation of vault and journal counts. */
function newest(
  copy: { kind: 'grant' | 'newer'; grant: Grant } | undefined,
  entry: Entry | undefined,
): Known | undefined {
  if (entry?.kind === 'locked') {
    // Others wrote with a key that we lack: what we hold is stale unless it is as new as theirs.
    return copy && { grant: copy.grant, readOnly: entry.header.generation > copy.grant.generation };
  }
  const best =
    copy !== undefined && (entry === undefined || copy.grant.generation > entry.grant.generation) ? copy : entry;
  return best && { grant: best.grant, readOnly: best.kind === 'newer' };
}
