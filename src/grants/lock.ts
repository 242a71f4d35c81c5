import type { Files } from '#platform/files';
import type { Clock, Randomness } from '../clock.ts';
import { toHex } from './seal.ts';

export interface LockTiming {
  /** How often a holder shows that it lives. */
  heartbeatMs: number;
  /** How often a waiter looks. */
  pollMs: number;
  /** How long a waiter must have seen the same counter; longer than any transaction that is done under a lock. */
  takeoverAgeMs: number;
}

export const lockTiming: LockTiming = { heartbeatMs: 1_000, pollMs: 100, takeoverAgeMs: 130_000 };

/** A lock that is held. */
export interface HeldLock {
  /** Whether it is still ours: asked immediately before a request is sent and before its answer is written. */
  isOurs(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * Locks between the windows of one machine: a file that its holder rewrites every second with a growing counter. No
 * clock and no process id is ever compared: a waiter takes over only after its own consecutive looks saw the same
 * counter long enough, and a gap between two looks (sleep) starts the count again. The protocol is frozen for ever.
 */
export class Locks {
  readonly #files: Files;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #timing: LockTiming;

  constructor(files: Files, directory: string, clock: Clock, randomness: Randomness, timing = lockTiming) {
    this.#files = files;
    this.#directory = directory;
    this.#clock = clock;
    this.#randomness = randomness;
    this.#timing = timing;
  }

  /** Waits for the lock; `undefined` when it cannot be had within `waitMs`. @throws what the disk says */
  async acquire(name: string, waitMs: number): Promise<HeldLock | undefined> {
    const path = `${this.#directory}/${name}.lock`;
    const owner = toHex(this.#randomness.bytes(8));
    const startMs = this.#clock.monotonicMs();
    let seen = '';
    let seenSinceMs = startMs;
    let lastLookMs = startMs;
    for (;;) {
      if (await this.#files.create(path, line(owner, 0))) {
        return this.#hold(path, owner);
      }
      const nowMs = this.#clock.monotonicMs();
      const content = await this.#files.read(path);
      if (content === undefined) {
        continue;
      }
      const slept = nowMs - lastLookMs > this.#timing.pollMs * 20;
      lastLookMs = nowMs;
      if (content !== seen || slept) {
        seen = content;
        seenSinceMs = nowMs;
      } else if (nowMs - seenSinceMs >= this.#timing.takeoverAgeMs) {
        await this.#clear(path, content, owner);
        continue;
      }
      if (nowMs - startMs >= waitMs) {
        return undefined;
      }
      await new Promise<void>((resolve) => this.#clock.after(this.#timing.pollMs, resolve));
    }
  }

  #hold(path: string, owner: string): HeldLock {
    let counter = 0;
    let stop: () => void;
    const isOurs = async () => (await this.#files.read(path))?.startsWith(`${owner} `) === true;
    const beat = () => {
      stop = this.#clock.after(this.#timing.heartbeatMs, async () => {
        try {
          if (!released && (await isOurs())) {
            counter += 1;
            await this.#files.overwrite(path, line(owner, counter));
          }
        } catch {
          // The disk refuses for a moment; whoever waits sees an old counter and is patient.
        }
        if (!released) {
          beat();
        }
      });
    };
    let released = false;
    beat();
    return {
      isOurs,
      release: async () => {
        released = true;
        stop();
        if (await isOurs()) {
          await this.#files.remove(path);
        }
      },
    };
  }

  /** Moves a dead holder's lock aside in one step; one that came to life, or is another's by now, is put back. */
  async #clear(path: string, content: string, owner: string): Promise<void> {
    const aside = `${path}.${owner}`;
    try {
      await this.#files.rename(path, aside);
    } catch {
      // Another waiter was faster.
      return;
    }
    const moved = await this.#files.read(aside);
    if (moved !== undefined && moved !== content) {
      await this.#files.create(path, moved);
    }
    await this.#files.remove(aside);
  }
}

/** Always of the same length, so that a look never sees the rest of a longer one. */
function line(owner: string, counter: number): string {
  return `${owner} ${String(counter).padStart(12, '0')}\n`;
}
