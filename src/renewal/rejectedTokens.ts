import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';

/** The server's stores are eventually consistent: a token this young may be rejected by mistake. */
const freshlyIssuedMs = 90_000;
const pauseMs = 60_000;

/** Judges whether an access token that the server rejected calls for a renewal. */
export class RejectedTokens {
  readonly #clock: Clock;
  readonly #heard = new Map<string, { generation: number; renewedAtMs?: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An unknown token changes nothing; a fresh one is tried again first; renewals by rejection are a minute apart. */
  shouldRenew(grant: Grant, accessToken: Secret): boolean {
    if (!grant.tokens.accessToken.equals(accessToken)) {
      return false;
    }
    const earlier = this.#heard.get(grant.id);
    const again = earlier?.generation === grant.generation;
    const fresh = this.#clock.nowMs() - grant.tokens.obtainedAtMs < freshlyIssuedMs;
    const nowMs = this.#clock.monotonicMs();
    if (fresh && !again) {
      this.#heard.set(grant.id, { ...earlier, generation: grant.generation });
      return false;
    }
    if (earlier?.renewedAtMs !== undefined && nowMs - earlier.renewedAtMs < pauseMs) {
      return false;
    }
    this.#heard.set(grant.id, { generation: grant.generation, renewedAtMs: nowMs });
    return true;
  }
}
