import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';

/** Notion's stores are eventually consistent: a token this new may be rejected by mistake. */
const freshlyIssuedMs = 90_000;
const pauseMs = 60_000;

/** Decides whether an access token that the MCP server rejected has to be renewed. */
export class RejectedTokens {
  readonly #clock: Clock;
  readonly #rejections = new Map<string, { generation: number; renewedAtMs?: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * False for a token that is not the grant's current one, for the first rejection of a fresh token (which is to be
   * tried again), and within a minute of the last renewal after a rejection.
   */
  shouldRenew(grant: Grant, accessToken: Secret): boolean {
    if (!grant.tokens.accessToken.equals(accessToken)) {
      return false;
    }
    const earlier = this.#rejections.get(grant.id);
    const isRepeated = earlier?.generation === grant.generation;
    const isFresh = this.#clock.nowMs() - grant.tokens.obtainedAtMs < freshlyIssuedMs;
    const nowMs = this.#clock.monotonicMs();
    if (isFresh && !isRepeated) {
      this.#rejections.set(grant.id, { ...earlier, generation: grant.generation });
      return false;
    }
    if (earlier?.renewedAtMs !== undefined && nowMs - earlier.renewedAtMs < pauseMs) {
      return false;
    }
    this.#rejections.set(grant.id, { generation: grant.generation, renewedAtMs: nowMs });
    return true;
  }
}
