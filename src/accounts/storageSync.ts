import type { Clock } from '../core/clock.ts';
import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { GrantStore } from '../storage/grantStore.ts';
import type { Snapshot } from '../storage/snapshot.ts';
import type { AccountRegistry } from './registry.ts';

export interface StorageSyncParts {
  store: GrantStore;
  known: AccountRegistry;
  clock: Clock;
  log: Log;
  /** Called when something was heard and looked at. */
  onSynced: () => void;
}

const pauseMs = 30;

/** Learns what other windows did. What is heard of them is a hint only; what is read counts. */
export class StorageSync {
  readonly #parts: StorageSyncParts;
  #watching: { dispose(): void } | undefined;
  #watchWorks = false;
  #reading: Promise<void> | undefined;
  /** A sign-in that is being stored here, and is announced as one: nobody finds it before. */
  #storing: Promise<unknown> = Promise.resolve();
  #stopPause: (() => void) | undefined;

  constructor(parts: StorageSyncParts) {
    this.#parts = parts;
  }

  /** Whether other windows' changes are heard of without looking. */
  get watchWorks(): boolean {
    return this.#watchWorks;
  }

  /** Puts right what was found at the start, and listens from now on. */
  async begin(snapshot: Snapshot): Promise<void> {
    await this.#reconcile(snapshot);
    this.#watching = this.#parts.store.watch((fromDisk) => {
      this.#watchWorks ||= fromDisk;
      this.#lookSoon();
    });
  }

  /** Adopts what other windows did, and puts back what they erased. */
  async look(): Promise<void> {
    await this.#storing;
    await this.#lookNow();
  }

  /** Runs `store`, which may look itself, while nobody else looks. */
  whileStoring<T>(store: (look: () => Promise<void>) => Promise<T>): Promise<T> {
    const storing = store(() => this.#lookNow());
    this.#storing = storing.catch(() => undefined);
    return storing;
  }

  end(): void {
    this.#stopPause?.();
    this.#watching?.dispose();
  }

  /** Several files change in one renewal; one look is enough for them. */
  #lookSoon(): void {
    this.#stopPause ??= this.#parts.clock.after(pauseMs, () => {
      this.#stopPause = undefined;
      this.#read().then(this.#parts.onSynced, () => undefined);
    });
  }

  async #lookNow(): Promise<void> {
    await this.#reconcile(await this.#readNow());
  }

  /** What cannot be put right now is tried again by the next look. */
  async #reconcile(snapshot: Snapshot): Promise<void> {
    const { store, known, log } = this.#parts;
    try {
      await store.reconcile(known.all(), snapshot);
    } catch (error) {
      log.warn('The storage could not be put right.', { code: systemErrorCode(error) });
    }
  }

  /** One reading at a time; who comes while one is under way gets the next. */
  async #read(): Promise<void> {
    await this.#storing;
    await this.#reading;
    const done = (): void => {
      this.#reading = undefined;
    };
    this.#reading ??= this.#readNow().then(done, done);
    await this.#reading;
  }

  async #readNow(): Promise<Snapshot> {
    const { store, known } = this.#parts;
    const snapshot = await store.read();
    for (const each of snapshot.grants.values()) {
      known.adopt(each);
    }
    for (const { grant } of known.all()) {
      const vanished = !store.hasJournal && !snapshot.grants.has(grant.id);
      if (snapshot.gone.has(grant.id) || vanished) {
        known.remove(grant.id);
      }
    }
    return snapshot;
  }
}
