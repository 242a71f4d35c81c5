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
  /** Called after a change by another window was read. */
  onSynced: () => void;
}

const delayMs = 30;
/** How often the storage is read while the watch is not heard: it may be mute, as on some network file systems. */
const lookIntervalMs = 60_000;
/** How long the watch counts as working after it was heard; our own writes are heard, too. */
const proofLifeMs = 10 * 60_000;

/** Adopts the changes of other windows. Their events are only hints; what is read from the storage counts. */
export class StorageSync {
  readonly #parts: StorageSyncParts;
  #watch: { dispose(): void } | undefined;
  /** When the watch on the disk was last heard (monotonic clock). */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  /** Resolves when reads may go on. */
  #pause: Promise<void> = Promise.resolve();
  #cancelDelay: (() => void) | undefined;

  constructor(parts: StorageSyncParts) {
    this.#parts = parts;
  }

  /** Whether the watch on the disk has lately been heard. */
  get watchWorks(): boolean {
    return this.#proofEndsInMs > 0;
  }

  /** When the storage is to be read next, whether or not the watch reports a change. */
  get lookInMs(): number {
    return this.watchWorks ? this.#proofEndsInMs : lookIntervalMs;
  }

  get #proofEndsInMs(): number {
    return this.#heardAtMs + proofLifeMs - this.#parts.clock.monotonicMs();
  }

  /** Repairs the storage as found at startup, and watches it from now on. */
  async begin(snapshot: Snapshot): Promise<void> {
    await this.#reconcile(snapshot);
    this.#beginWatch();
  }

  /** Adopts the changes of other windows, and restores what they erased. */
  async sync(): Promise<void> {
    await this.#pause;
    await this.syncNow();
    if (this.#watch !== undefined && !this.watchWorks) {
      // It may be mute for good, as after the directory was deleted and made again.
      this.#watch.dispose();
      this.#beginWatch();
    }
  }

  /** The same, also during a pause. */
  async syncNow(): Promise<void> {
    await this.#reconcile(await this.#readNow());
  }

  /**
   * Lets reads wait until the returned function is called: a sign-in of this window has to be announced as one, so no
   * read may find it first.
   */
  pause(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const earlier = this.#pause;
    this.#pause = earlier.then(() => promise);
    return resolve;
  }

  end(): void {
    this.#cancelDelay?.();
    this.#watch?.dispose();
    this.#watch = undefined;
  }

  #beginWatch(): void {
    this.#watch = this.#parts.store.watch((fromDisk) => {
      if (fromDisk) {
        this.#heardAtMs = this.#parts.clock.monotonicMs();
      }
      this.#readSoon();
    });
  }

  /** One renewal changes several files; a short delay makes one read of them. */
  #readSoon(): void {
    this.#cancelDelay ??= this.#parts.clock.after(delayMs, () => {
      this.#cancelDelay = undefined;
      this.#read().then(this.#parts.onSynced, () => undefined);
    });
  }

  /** What cannot be repaired now is tried again at the next synchronization. */
  async #reconcile(snapshot: Snapshot): Promise<void> {
    const { store, known, log } = this.#parts;
    try {
      await store.reconcile(known.all(), snapshot);
    } catch (error) {
      log.warn('The storage could not be repaired.', { code: systemErrorCode(error) });
    }
  }

  /** Runs one read at a time; a call during a read waits for the next one. */
  async #read(): Promise<void> {
    await this.#pause;
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
      if (snapshot.gone.has(grant.id) || snapshot.merged.includes(grant.id)) {
        known.forget(grant.id);
      } else if (!store.hasJournal && !snapshot.grants.has(grant.id)) {
        known.remove(grant.id);
      }
    }
    return snapshot;
  }
}
