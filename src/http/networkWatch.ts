import type { Clock } from '../core/clock.ts';

/** How often a user of the network looks at it while it waits for something. */
export const lookMs = 10_000;

/** If this much more time has passed between two looks, the computer slept, or its clock was set. */
const jumpMs = 30_000;

export interface NetworkWatchParts {
  clock: Clock;
  /** The addresses of this computer at which other machines can reach it. */
  addresses: () => ReadonlySet<string>;
}

export interface NetworkChange {
  /** Whether the computer slept or lost an address, which cuts connections off. A new address cuts none off. */
  isInterrupted: boolean;
}

/**
 * Notices changes of this computer's network: nothing tells the two ends of a connection that it was cut off. There is
 * no timer: users look before they begin something, and every `lookMs` while they wait.
 */
export class NetworkWatch {
  readonly #parts: NetworkWatchParts;
  readonly #listeners: ((change: NetworkChange) => void)[] = [];
  #seen: { addresses: ReadonlySet<string>; nowMs: number } | undefined;

  constructor(parts: NetworkWatchParts) {
    this.#parts = parts;
  }

  onChange(listener: (change: NetworkChange) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Tells the listeners of what changed since the last look. A long time without any look counts as sleep: connections
   * that were idle for so long are of no use anyway.
   */
  look(): void {
    const { clock, addresses } = this.#parts;
    const before = this.#seen;
    const now = { addresses: addresses(), nowMs: clock.nowMs() };
    this.#seen = now;
    if (before === undefined) {
      return;
    }
    const elapsedMs = now.nowMs - before.nowMs;
    const hasJumped = elapsedMs > lookMs + jumpMs || elapsedMs < -jumpMs;
    const hasLost = [...before.addresses].some((address) => !now.addresses.has(address));
    const hasGained = now.addresses.size > before.addresses.size;
    if (hasJumped || hasLost || hasGained) {
      for (const listener of this.#listeners) {
        listener({ isInterrupted: hasJumped || hasLost });
      }
    }
  }
}
