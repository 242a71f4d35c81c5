import type { Clock, Randomness } from '../clock.ts';
import type { Failure } from '../oauth/failure.ts';

const firstMs = 2_000;
const longestMs = 5 * 60_000;

/** How long to leave a server alone after it failed: full jitter over a span that doubles, or what it asked for. */
export class BackOff {
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #failures = new Map<string, { count: number; untilMs: number; last: Failure }>();

  constructor(clock: Clock, randomness: Randomness) {
    this.#clock = clock;
    this.#randomness = randomness;
  }

  failed(name: string, failure: Failure): void {
    const count = (this.#failures.get(name)?.count ?? 0) + 1;
    const spanMs = Math.min(longestMs, firstMs * 2 ** Math.min(count - 1, 20));
    const waitMs = Math.max(this.#randomness.fraction() * spanMs, failure.details.retryAfterMs ?? 0);
    this.#failures.set(name, { count, untilMs: this.#clock.monotonicMs() + waitMs, last: failure });
  }

  succeeded(name: string): void {
    this.#failures.delete(name);
  }

  /** On the monotonic clock. */
  untilMs(name: string): number | undefined {
    return this.#failures.get(name)?.untilMs;
  }

  lastFailure(name: string): Failure | undefined {
    return this.#failures.get(name)?.last;
  }
}
