import type { Clock } from '../core/clock.ts';
import { toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import type { Files, OpenFile } from '../platform/contract.ts';

export interface LockTiming {
  /** How often the holder increases its counter. */
  heartbeatMs: number;
  /** How often a waiter reads the counter. */
  pollMs: number;
  /** How long a waiter must have seen the same counter; longer than any transaction under a lock takes. */
  takeoverAgeMs: number;
  /** When a holder stops increasing its counter, because what it waits for may never come. */
  longestHoldMs: number;
}

export const lockTiming: LockTiming = {
  heartbeatMs: 1_000,
  pollMs: 100,
  takeoverAgeMs: 130_000,
  longestHoldMs: 120_000,
};

/** A lock that this window acquired. */
export interface HeldLock {
  /** Whether this window still holds it: check immediately before sending a request and before storing its response. */
  isOurs(): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * Locks between the windows of one machine: each is a file that its holder rewrites every second with an increasing
 * counter. Clocks and process ids are never compared: a waiter takes over only after its own consecutive polls saw the
 * same counter for long enough, and a gap between two polls (sleep) restarts that time. The protocol must never change.
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

  /**
   * Waits for the lock, with a pause after each look, whatever has its name: even a link to nothing or a directory.
   * @returns `undefined` if it cannot be acquired within `waitMs`
   * @throws the file system's error
   */
  async acquire(name: string, waitMs: number): Promise<HeldLock | undefined> {
    const path = `${this.#directory}/${name}.lock`;
    const owner = toHex(this.#randomness.bytes(8));
    const startMs = this.#clock.monotonicMs();
    let seen: string | undefined = '';
    let seenSinceMs = startMs;
    let lastPollMs = startMs;
    for (;;) {
      const file = await this.#files.createOpen(path, line(owner, 0));
      if (file !== undefined) {
        return this.#hold(path, owner, file);
      }
      const nowMs = this.#clock.monotonicMs();
      // Missing if it was released just now, or if what has this name is not a file of ours.
      const content = await this.#files.read(path);
      const slept = nowMs - lastPollMs > this.#timing.pollMs * 20;
      lastPollMs = nowMs;
      if (content !== seen || slept) {
        seen = content;
        seenSinceMs = nowMs;
      } else if (nowMs - seenSinceMs >= this.#timing.takeoverAgeMs) {
        await this.#removeDead(path, content, owner);
        seenSinceMs = nowMs;
      }
      if (nowMs - startMs >= waitMs) {
        return undefined;
      }
      await new Promise<void>((resolve) => this.#clock.after(this.#timing.pollMs, resolve));
    }
  }

  /** Runs `action` under the lock. @returns `undefined` if the lock cannot be acquired within `waitMs` */
  async exclusively<T>(name: string, waitMs: number, action: () => Promise<T>): Promise<T | undefined> {
    const lock = await this.acquire(name, waitMs).catch(() => undefined);
    try {
      return lock && (await action());
    } finally {
      await lock?.release().catch(() => undefined);
    }
  }

  #hold(path: string, owner: string, file: OpenFile): HeldLock {
    const sinceMs = this.#clock.monotonicMs();
    let counter = 0;
    let stop: () => void;
    let isReleased = false;
    const beat = async () => {
      counter += 1;
      // The disk may fail for a moment; a waiter then sees the old counter for longer, which does no harm.
      await file.overwrite(line(owner, counter)).catch(() => undefined);
      if (isReleased) {
        return;
      }
      if (this.#clock.monotonicMs() - sinceMs < this.#timing.longestHoldMs) {
        schedule();
      } else {
        await file.close().catch(() => undefined);
      }
    };
    const schedule = () => {
      stop = this.#clock.after(this.#timing.heartbeatMs, () => void beat());
    };
    const isOurs = async () => (await this.#files.read(path))?.startsWith(`${owner} `) === true;
    schedule();
    return {
      isOurs,
      release: async () => {
        isReleased = true;
        stop();
        // Closed first, because some systems keep the name of a file that is removed while it is open.
        await file.close();
        if (await isOurs()) {
          await this.#files.remove(path);
        }
      },
    };
  }

  /** Moves a dead holder's lock aside in one step, but puts it back if it has changed: its holder is then alive. */
  async #removeDead(path: string, content: string | undefined, owner: string): Promise<void> {
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
    // A directory stays aside, where it does no harm.
    await this.#files.remove(aside).catch(() => undefined);
  }
}

/** Always of the same length, so that a poll never sees the rest of a longer line. */
function line(owner: string, counter: number): string {
  return `${owner} ${String(counter).padStart(12, '0')}\n`;
}
