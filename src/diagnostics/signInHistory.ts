import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { Failure, type FailureDetails, type FailureKind } from '../oauth/errors.ts';
import type { ChannelName } from '../signIn/channel.ts';
import type { SignInResult } from '../signIn/exchange.ts';
import type { SignInStage } from '../signIn/stage.ts';

/** A channel precedes the stages that the sign-in went through with it. */
export type SignInStep = SignInStage | ChannelName;

/** What a diagnostics report needs to know of a failure. */
export type FailureSummary = { kind: FailureKind } & Pick<FailureDetails, 'step' | 'code' | 'status'>;

/** One sign-in, as far as it got. */
export interface SignInAttempt {
  /** Its name in the log, such as `sign-in 0abc`. */
  name: string;
  startedAtMs: number;
  steps: readonly SignInStep[];
  /** Missing if it has not ended, or if its window was closed or reloaded before. `account` is the account's number. */
  end?: { tookMs: number; outcome: { account: number } | FailureSummary | 'unexpectedError' };
}

/** Where attempts are kept, across windows and reloads. */
export interface StoredAttempts {
  get(): readonly SignInAttempt[];
  set(attempts: readonly SignInAttempt[]): void;
}

const maxAttempts = 10;
const maxSteps = 20;

/** Keeps the last sign-ins for a diagnostics report: times and codes, no names, addresses or secrets. */
export class SignInHistory {
  readonly #stored: StoredAttempts;
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;

  constructor(stored: StoredAttempts, clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#stored = stored;
    this.#clock = clock;
  }

  /** The last sign-ins, oldest first. */
  list(): readonly SignInAttempt[] {
    return this.#stored.get();
  }

  /** Runs a sign-in, which calls `reached` with each of its steps, and records how it ends. `log` is its own. */
  async record(
    { operationName: name, accountNumbers }: Log,
    run: (reached: (step: SignInStep) => void) => Promise<SignInResult>,
  ): Promise<SignInResult> {
    const startedMs = this.#clock.monotonicMs();
    let attempt: SignInAttempt = { name, startedAtMs: this.#clock.nowMs(), steps: [] };
    this.#save(attempt);
    const reached = (step: SignInStep): void => {
      if (attempt.end === undefined && attempt.steps.length < maxSteps) {
        attempt = { ...attempt, steps: [...attempt.steps, step] };
        this.#save(attempt);
      }
    };
    const ended = (outcome: Required<SignInAttempt>['end']['outcome']): void => {
      attempt = { ...attempt, end: { tookMs: Math.round(this.#clock.monotonicMs() - startedMs), outcome } };
      this.#save(attempt);
    };
    try {
      const result = await run(reached);
      ended({ account: accountNumbers.of(result.grant.id) });
      return result;
    } catch (error) {
      ended(error instanceof Failure ? summaryOf(error) : 'unexpectedError');
      throw error;
    }
  }

  #save(attempt: SignInAttempt): void {
    const others = this.#stored
      .get()
      .filter(({ name, startedAtMs }) => name !== attempt.name || startedAtMs !== attempt.startedAtMs);
    const all = [...others, attempt].sort((a, b) => a.startedAtMs - b.startedAtMs);
    this.#stored.set(all.slice(-maxAttempts));
  }
}

/** What may be shown of a failure: no host, no text of a server. */
export function summaryOf({ kind, details: { step, code, status } }: Failure): FailureSummary {
  return { kind, step, code, ...(status !== undefined && { status }) };
}
