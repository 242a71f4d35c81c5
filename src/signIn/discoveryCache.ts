import type { Clock } from '../core/clock.ts';
import type { Http } from '../http/client.ts';
import { discover } from '../oauth/discovery.ts';
import type { Discovery } from '../oauth/model.ts';

const longestUseMs = 60 * 60_000;

/** What discovery found, kept for an hour so that a second sign-in to the same server need not ask again. */
export class DiscoveryCache {
  readonly #clock: Clock;
  readonly #found = new Map<string, { discovery: Discovery; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws Failure as `discover` does */
  async of(http: Http, serverUrl: URL, signal: AbortSignal): Promise<Discovery> {
    const found = this.#found.get(serverUrl.href);
    const nowMs = this.#clock.monotonicMs();
    if (found !== undefined && nowMs - found.atMs < longestUseMs) {
      return found.discovery;
    }
    const discovery = await discover(http, serverUrl, { signal });
    this.#found.set(serverUrl.href, { discovery, atMs: nowMs });
    return discovery;
  }

  forget(serverUrl: URL): void {
    this.#found.delete(serverUrl.href);
  }
}
