import type { Clock } from '../core/clock.ts';
import type { Http } from '../http/client.ts';
import { discover } from '../oauth/discovery.ts';
import type { Discovery } from '../oauth/model.ts';

const maxAgeMs = 60 * 60_000;

/** Caches discovery results for an hour, so that a second sign-in to the same MCP server skips discovery. */
export class DiscoveryCache {
  readonly #clock: Clock;
  readonly #found = new Map<string, { discovery: Discovery; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the cached result, or runs discovery. @throws Failure as `discover` does */
  async of(http: Http, serverUrl: URL, signal: AbortSignal): Promise<Discovery> {
    const found = this.#found.get(serverUrl.href);
    const nowMs = this.#clock.monotonicMs();
    if (found !== undefined && nowMs - found.atMs < maxAgeMs) {
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
