import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { isFromTheFuture } from '../grants/tokenLife.ts';
import type { SharedMachines } from '../storage/sharedMachines.ts';
import type { Renewal } from './renewal.ts';

/** The accounts, as far as the scheduler needs them. */
export interface ScheduledAccounts {
  /** The grants that do not need sign-in. */
  grants(): Grant[];
  renew(grant: Grant): Promise<unknown>;
  /** Adopts the changes of other windows and repairs the storage. */
  sync(): Promise<void>;
  /** How soon the storage is to be synchronized at the latest. */
  lookInMs(): number;
}

export interface RenewalSchedulerParts {
  accounts: ScheduledAccounts;
  renewal: Pick<Renewal, 'retryAtMs' | 'confirmAtMs' | 'wokeUp'>;
  machines: Pick<SharedMachines, 'renewAtMs'>;
  clock: Clock;
  randomness: Randomness;
}

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
    const { accounts, renewal, clock } = this.#parts;
    const plannedMs = Math.max(Math.min(this.#nextDueInMs(), accounts.lookInMs()), shortestPauseMs);
    const wallMs = clock.nowMs();
    this.#stop = clock.after(plannedMs, () => {
      if (Math.abs(clock.nowMs() - wallMs - plannedMs) > timerSlackMs) {
        renewal.wokeUp();
      }
      void this.runNow();
    });
  }

  /** Synchronizes with the storage and renews what is due. Never rejects. */
  async runNow(): Promise<void> {
    const { accounts } = this.#parts;
    await accounts.sync().catch(() => undefined);
    const due = accounts.grants().filter((grant) => this.#dueInMs(grant) <= 0);
    await Promise.allSettled(due.map((grant) => accounts.renew(grant)));
    this.plan();
  }

  end(): void {
    this.#ended = true;
    this.#stop?.();
  }

  #nextDueInMs(): number {
    const { accounts } = this.#parts;
    return Math.min(Number.POSITIVE_INFINITY, ...accounts.grants().map((grant) => this.#dueInMs(grant)));
  }

  #dueInMs(grant: Grant): number {
    const { clock, renewal, machines } = this.#parts;
    const atMs = machines.renewAtMs(grant, this.#fraction(grant));
    // The clock was wrong when the tokens were obtained, so their age is unknown.
    const dueInMs = isFromTheFuture(grant.tokens, clock.nowMs()) ? 0 : atMs - clock.nowMs();
    const confirmInMs = (renewal.confirmAtMs(grant) ?? Number.POSITIVE_INFINITY) - clock.monotonicMs();
    const retryInMs = (renewal.retryAtMs(grant) ?? Number.NEGATIVE_INFINITY) - clock.monotonicMs();
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
