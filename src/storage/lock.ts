import type { Clock } from '../core/clock.ts';
import { toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import type { Files, OpenFile } from '../platform/contract.ts';

export interface LockTiming {
  /** How often a holder shows that it lives. */
  heartbeatMs: number;
  /** How often a waiter looks. */
  pollMs: number;
  /** How long a waiter must have seen the same counter; longer than any transaction that is done under a lock. */
  takeoverAgeMs: number;
  /** A holder that is not done by then shows no more life: what it waits for may never come. */
  longestHoldMs: number;
}

export const lockTiming: LockTiming = {
  heartbeatMs: 1_000,
  pollMs: 100,
  takeoverAgeMs: 130_000,
  longestHoldMs: 120_000,
};

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
      const file = await this.#files.createOpen(path, line(owner, 0));
      if (file !== undefined) {
        return this.#hold(path, owner, file);
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

  #hold(path: string, owner: string, file: OpenFile): HeldLock {
    const sinceMs = this.#clock.monotonicMs();
    let counter = 0;
    let stop: () => void;
    let isReleased = false;
    const beat = () => {
      stop = this.#clock.after(this.#timing.heartbeatMs, async () => {
        counter += 1;
        // The disk may refuse for a moment; whoever waits sees an old counter and is patient.
        await file.overwrite(line(owner, counter)).catch(() => undefined);
        if (isReleased) {
          return;
        }
        if (this.#clock.monotonicMs() - sinceMs < this.#timing.longestHoldMs) {
          beat();
        } else {
          await file.close();
        }
      });
    };
    const isOurs = async () => (await this.#files.read(path))?.startsWith(`${owner} `) === true;
    beat();
    return {
      isOurs,
      release: async () => {
        isReleased = true;
        stop();
        // First, as some systems keep the name of a file that is removed while it is open.
        await file.close();
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
