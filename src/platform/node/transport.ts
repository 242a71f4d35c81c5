import { lookup as resolve } from 'node:dns/promises';
import { systemClock } from '../../core/clock.ts';
import { createHttp, type Http, type Lookup } from '../../http/client.ts';
import { HttpFailure } from '../../http/errors.ts';
import { createFetchTransport } from '../../http/fetchTransport.ts';
import type { Transport } from '../../http/transport.ts';
import { isLoopback } from '../../http/url.ts';
import type { PlatformHttpOptions, TransportOptions } from '../contract.ts';
import { createPoolTransport } from './pools.ts';

/**
 * Sends requests to this machine over our own connections, as there is no proxy between a machine and itself, and all
 * others with the host's `fetch`, which applies the editor's proxy, certificates and exceptions. That `fetch` ignores
 * the option to verify certificates, so nothing is sent with it while the environment switches verification off (A26).
 */
export function createTransport({ hostFetch }: TransportOptions = {}): Transport {
  const pools = createPoolTransport();
  const host = createFetchTransport(hostFetch);
  return {
    send: async (request) => {
      if (isLoopback(request.url.hostname)) {
        return pools.send(request);
      }
      if (isVerificationOff()) {
        throw new HttpFailure('unverified', request.url.host);
      }
      return host.send(request);
    },
    close: async () => {
      await Promise.all([pools.close(), host.close()]);
    },
  };
}

/** Node reads the variable whenever it connects, and other extensions can set it at any time. */
function isVerificationOff(): boolean {
  return process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0';
}

/** Looks up names with the system's resolver. */
export const lookup: Lookup | undefined = async (hostname) =>
  (await resolve(hostname, { all: true })).map(({ address }) => address);

export function createPlatformHttp({ userAgent, ...options }: PlatformHttpOptions): Http {
  return createHttp({ transport: createTransport(options), lookup, userAgent, clock: systemClock });
}
