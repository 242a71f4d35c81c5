import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import type { Failure } from '../oauth/errors.ts';

const firstMs = 2_000;
const longestMs = 5 * 60_000;

/** Of which tokens a failure was: those of a later generation, by whatever window they came, have not failed yet. */
type Failed = Pick<Grant, 'id' | 'generation'>;

/** How long to leave a server alone after it failed: full jitter over a span that doubles, or what it asked for. */
export class Backoff {
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #failures = new Map<string, { generation: number; count: number; untilMs: number; last: Failure }>();

  constructor(clock: Clock, randomness: Randomness) {
    this.#clock = clock;
    this.#randomness = randomness;
  }

  failed(grant: Failed, failure: Failure): void {
    const count = (this.#of(grant)?.count ?? 0) + 1;
    const spanMs = Math.min(longestMs, firstMs * 2 ** Math.min(count - 1, 20));
    const waitMs = Math.max(this.#randomness.fraction() * spanMs, failure.details.retryAfterMs ?? 0);
    const { id, generation } = grant;
    this.#failures.set(id, { generation, count, untilMs: this.#clock.monotonicMs() + waitMs, last: failure });
  }

  succeeded(grantId: string): void {
    this.#failures.delete(grantId);
  }

  /** On the monotonic clock. */
  untilMs(grant: Failed): number | undefined {
    return this.#of(grant)?.untilMs;
  }

  lastFailure(grant: Failed): Failure | undefined {
    return this.#of(grant)?.last;
  }

  #of({ id, generation }: Failed) {
    const failure = this.#failures.get(id);
    return failure?.generation === generation ? failure : undefined;
  }
}
