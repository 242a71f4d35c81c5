import { lookup } from 'node:dns/promises';
import { systemClock } from '../../core/clock.ts';
import { createHttp, type Http } from '../../http/client.ts';
import { createFetchTransport } from '../../http/fetchTransport.ts';
import type { Transport } from '../../http/transport.ts';
import { isLoopback } from '../../http/url.ts';
import type { PlatformHttpOptions, TransportOptions } from '../contract.ts';
import { createPoolTransport } from './pools.ts';

/**
 * Sends requests to this machine over our own connections, as there is no proxy between a machine and itself, and all
 * others with the host's `fetch`, which applies the editor's proxy, certificates and exceptions.
 */
export function createTransport({ hostFetch }: TransportOptions = {}): Transport {
  const pools = createPoolTransport();
  const host = createFetchTransport(hostFetch);
  return {
    send: (request) => (isLoopback(request.url.hostname) ? pools : host).send(request),
    close: async () => {
      await Promise.all([pools.close(), host.close()]);
    },
  };
}

/** Looks up names with the system's resolver. */
export function createPlatformHttp({ userAgent, ...options }: PlatformHttpOptions): Http {
  return createHttp({
    transport: createTransport(options),
    lookup: async (hostname) => (await lookup(hostname, { all: true })).map(({ address }) => address),
    userAgent,
    clock: systemClock,
  });
}
