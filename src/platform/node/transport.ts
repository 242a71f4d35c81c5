import { lookup } from 'node:dns/promises';
import { systemClock } from '../../core/clock.ts';
import { createHttp, type Http } from '../../http/client.ts';
import { createFetchTransport } from '../../http/fetchTransport.ts';
import type { PlatformHttpOptions } from '../contract.ts';
import { createDirectUpstream } from './pools.ts';

/** Sends over our own connections (undici) on this computer, and through the editor host's `fetch` everywhere else. */
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

/** Looked up at each call, as hosts put their own in place when they like. */
const globalFetch: typeof fetch = (input, init) => globalThis.fetch(input, init);
