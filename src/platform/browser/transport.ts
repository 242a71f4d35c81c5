import { systemClock } from '../../core/clock.ts';
import { createHttp, type Http } from '../../http/client.ts';
import { createFetchTransport } from '../../http/fetchTransport.ts';
import type { PlatformHttpOptions } from '../contract.ts';

/**
 * Sends requests with the worker's `fetch`. A browser sets `User-Agent` itself, hides the target of a redirect (so none
 * is followed) and cannot look up names (so only literal addresses are recognized as private).
 */
export function createPlatformHttp({ hostFetch = workerFetch }: PlatformHttpOptions): Http {
  return createHttp({ host: createFetchTransport(hostFetch), clock: systemClock });
}

/** Called on the global object: `fetch` throws when it is detached from it. */
const workerFetch: typeof fetch = (input, init) => globalThis.fetch(input, init);
