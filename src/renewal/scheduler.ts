import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { isFromTheFuture, renewAtMs, takeOverAtMs } from '../grants/tokenLife.ts';

export interface RenewalSchedulerParts {
  clock: Clock;
  randomness: Randomness;
  /** The grants that can be renewed. */
  grants: () => Grant[];
  /** On the monotonic clock: before that a renewal of this grant would be refused. */
  retryAtMs: (grant: Grant) => number | undefined;
  /** On the monotonic clock: when a server's refusal is to be confirmed, although the token may be good for long. */
  confirmAtMs: (grant: Grant) => number | undefined;
  /** Whether another machine renews it first. */
  belongsToOtherMachine: (grant: Grant) => boolean;
  renew: (grant: Grant) => Promise<unknown>;
  /** Looks whether another window changed something, and puts right what is missing. */
  look: () => Promise<void>;
  /** Whether other windows' changes are heard of without looking. */
  watchWorks: () => boolean;
  /** The machine slept, or its clock was set. */
  wokeUp: () => void;
}

const longestSleepMs = 60 * 60_000;
const lookMs = 60_000;
const sleepSlackMs = 30_000;
/** Never sooner than this after the last turn, whatever a server says of its tokens' life. */
const shortestTurnMs = 1_000;

/** Decides when a grant is renewed; `renewal` decides how. One timer for all grants, which keeps no process alive. */
export class RenewalScheduler {
  readonly #parts: RenewalSchedulerParts;
  /** The jitter of each generation, so that a plan made anew does not move its time. */
  readonly #fractions = new Map<string, { generation: number; fraction: number }>();
  #stop: (() => void) | undefined;
  #ended = false;

  constructor(parts: RenewalSchedulerParts) {
    this.#parts = parts;
  }

  /** Plans the next turn; called whenever the grants changed. */
  plan(): void {
    this.#stop?.();
    if (this.#ended) {
      return;
    }
    const { clock, watchWorks } = this.#parts;
    const spanMs = Math.min(this.#nextDueInMs(), watchWorks() ? longestSleepMs : lookMs);
    const plannedMs = Math.max(spanMs, shortestTurnMs);
    const wallMs = clock.nowMs();
    this.#stop = clock.after(plannedMs, () => {
      if (Math.abs(clock.nowMs() - wallMs - plannedMs) > sleepSlackMs) {
        this.#parts.wokeUp();
      }
      void this.turn();
    });
  }

  /** Looks around and renews what is due. Never rejects. */
  async turn(): Promise<void> {
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
    // Our clock was wrong when they were obtained, so their age is unknown.
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
