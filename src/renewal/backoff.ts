import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { isNetworkFailure } from '../http/errors.ts';
import type { Failure } from '../oauth/errors.ts';

const firstMs = 2_000;
const longestMs = 5 * 60_000;

/** What a failure belongs to: tokens of a later generation have not failed yet, whichever window obtained them. */
type FailedGrant = Pick<Grant, 'id' | 'generation'>;

interface Failed {
  generation: number;
  count: number;
  atMs: number;
  untilMs: number;
  last: Failure;
}

/** How long to wait after a failed renewal: full jitter over a span that doubles, or `Retry-After` if it is longer. */
export class Backoff {
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #failures = new Map<string, Failed>();

  constructor(clock: Clock, randomness: Randomness) {
    this.#clock = clock;
    this.#randomness = randomness;
  }

  failed(grant: FailedGrant, failure: Failure): void {
    const count = (this.#failureOf(grant)?.count ?? 0) + 1;
    const spanMs = Math.min(longestMs, firstMs * 2 ** Math.min(count - 1, 20));
    const waitMs = Math.max(this.#randomness.fraction() * spanMs, failure.details.retryAfterMs ?? 0);
    const { id, generation } = grant;
    const nowMs = this.#clock.monotonicMs();
    this.#failures.set(id, { generation, count, atMs: nowMs, untilMs: nowMs + waitMs, last: failure });
  }

  succeeded(grantId: string): void {
    this.#failures.delete(grantId);
  }

  /**
   * When a caller may try again (monotonic clock). The wait spares the server, but a failure of the network or a captive
   * portal is not the server's, and by now it may be over or another one. The next attempt probes the network first.
   */
  callersUntilMs(grant: FailedGrant): number | undefined {
    const failure = this.#failureOf(grant);
    const { step, code } = failure?.last.details ?? {};
    return failure !== undefined && step !== 'storage' && (code === 'html' || isNetworkFailure(code ?? ''))
      ? Math.min(failure.untilMs, failure.atMs + firstMs)
      : failure?.untilMs;
  }

  /** When the wait ends (monotonic clock); `undefined` if these tokens have not failed. */
  untilMs(grant: FailedGrant): number | undefined {
    return this.#failureOf(grant)?.untilMs;
  }

  lastFailure(grant: FailedGrant): Failure | undefined {
    return this.#failureOf(grant)?.last;
  }

  #failureOf({ id, generation }: FailedGrant) {
    const failure = this.#failures.get(id);
    return failure?.generation === generation ? failure : undefined;
  }
}
