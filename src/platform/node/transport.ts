import { lookup } from 'node:dns/promises';
import { systemClock } from '../../core/clock.ts';
import { createHttp, type Http } from '../../http/client.ts';
import { createFetchTransport } from '../../http/fetchTransport.ts';
import type { PlatformHttpOptions } from '../contract.ts';
import { createDirectUpstream } from './pools.ts';

/** Sends requests to this machine over our own connections (undici), others with the extension host's `fetch`. */
export function createPlatformHttp({ userAgent, hostFetch = globalFetch }: PlatformHttpOptions): Http {
  const direct = createDirectUpstream();
  return createHttp({
    ...(direct && { direct }),
    host: createFetchTransport(hostFetch),
    lookup: async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address),
    userAgent,
    clock: systemClock,
  });
}

/** Looked up on each call, because the extension host may replace the global `fetch` at any time. */
const globalFetch: typeof fetch = (input, init) => globalThis.fetch(input, init);
