import { systemClock } from '../../core/clock.ts';
import { createHttp, type Http } from '../../http/client.ts';
import { createFetchTransport } from '../../http/fetchTransport.ts';
import type { PlatformHttpOptions } from '../contract.ts';

/**
 * Sends over the worker's `fetch`. A browser sets `User-Agent` itself, hides where a redirect leads (so none is
 * followed) and does not look names up (so only addresses that are written out are judged private).
 */
export function createPlatformHttp({ hostFetch = workerFetch }: PlatformHttpOptions): Http {
  return createHttp({ host: createFetchTransport(hostFetch), clock: systemClock });
}

/** Called on the worker itself: a `fetch` taken off its global object throws. */
const workerFetch: typeof fetch = (input, init) => globalThis.fetch(input, init);
