import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { isFromTheFuture, renewAtMs, takeOverAtMs } from '../grants/tokenLife.ts';

export interface RenewalSchedulerParts {
  clock: Clock;
  randomness: Randomness;
  /** The grants that can be renewed. */
  grants: () => Grant[];
  /** Before this time (monotonic clock) a renewal of the grant would fail at once. */
  retryAtMs: (grant: Grant) => number | undefined;
  /** When the server's rejection is to be confirmed (monotonic clock), although the token may be valid much longer. */
  confirmAtMs: (grant: Grant) => number | undefined;
  /** Whether another machine should renew the grant first. */
  belongsToOtherMachine: (grant: Grant) => boolean;
  renew: (grant: Grant) => Promise<unknown>;
  /** Adopts the changes of other windows and repairs the storage. */
  look: () => Promise<void>;
  /** Whether changes by other windows are noticed without polling. */
  watchWorks: () => boolean;
  /** Called if the machine slept or its clock was set. */
  wokeUp: () => void;
}

const longestPauseMs = 60 * 60_000;
const pollIntervalMs = 60_000;
const timerSlackMs = 30_000;
/** The shortest time between two runs, whatever lifetime a server states for its tokens. */
const shortestPauseMs = 1_000;

/** Decides when grants are renewed; `Renewal` decides how. One timer serves all grants and keeps no process alive. */
export class RenewalScheduler {
  readonly #parts: RenewalSchedulerParts;
  /** The jitter of each generation, so that planning again does not move the time of its renewal. */
  readonly #fractions = new Map<string, { generation: number; fraction: number }>();
  #stop: (() => void) | undefined;
  #ended = false;

  constructor(parts: RenewalSchedulerParts) {
    this.#parts = parts;
  }

  /** Schedules the next run; called whenever the grants have changed. */
  plan(): void {
    this.#stop?.();
    if (this.#ended) {
      return;
    }
    const { clock, watchWorks } = this.#parts;
    const spanMs = Math.min(this.#nextDueInMs(), watchWorks() ? longestPauseMs : pollIntervalMs);
    const plannedMs = Math.max(spanMs, shortestPauseMs);
    const wallMs = clock.nowMs();
    this.#stop = clock.after(plannedMs, () => {
      if (Math.abs(clock.nowMs() - wallMs - plannedMs) > timerSlackMs) {
        this.#parts.wokeUp();
      }
      void this.runNow();
    });
  }

  /** Synchronizes with the storage and renews what is due. Never rejects. */
  async runNow(): Promise<void> {
    const { grants, renew, look } = this.#parts;
    await look().catch(() => undefined);
    const due = grants().filter((grant) => this.#dueInMs(grant) <= 0);
    await Promise.allSettled(due.map(renew));
    this.plan();
  }

  end(): void {
    this.#ended = true;
    this.#stop?.();
  }

  #nextDueInMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#parts.grants().map((grant) => this.#dueInMs(grant)));
  }

  #dueInMs(grant: Grant): number {
    const { clock, retryAtMs, confirmAtMs, belongsToOtherMachine } = this.#parts;
    const { tokens } = grant;
    const atMs = belongsToOtherMachine(grant) ? takeOverAtMs(tokens) : renewAtMs(tokens, this.#fraction(grant));
    // The clock was wrong when the tokens were obtained, so their age is unknown.
    const dueInMs = isFromTheFuture(tokens, clock.nowMs()) ? 0 : atMs - clock.nowMs();
    const confirmInMs = (confirmAtMs(grant) ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
    const retryInMs = (retryAtMs(grant) ?? Number.NEGATIVE_INFINITY) - clock.monotonicMs();
    return Math.max(Math.min(dueInMs, confirmInMs), retryInMs);
  }

  #fraction({ id, generation }: Grant): number {
    const known = this.#fractions.get(id);
    if (known?.generation === generation) {
      return known.fraction;
    }
    const fraction = this.#parts.randomness.fraction();
    this.#fractions.set(id, { generation, fraction });
    return fraction;
  }
}
