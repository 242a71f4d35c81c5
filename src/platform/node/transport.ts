import { lookup as resolve } from 'node:dns/promises';
import { systemClock } from '../../core/clock.ts';
import { createHttp, type Http, type Lookup } from '../../http/client.ts';
import { HttpFailure } from '../../http/errors.ts';
import { createFetchTransport } from '../../http/fetchTransport.ts';
import type { PooledTransport } from '../../http/transport.ts';
import { isLoopback } from '../../http/url.ts';
import type { PlatformHttpOptions, TransportOptions } from '../contract.ts';
import { NoHostSocket, openHostSocket } from './hostSocket.ts';
import { createPoolTransport } from './pools.ts';

/**
 * Sends requests to this machine over our own connections, as there is no proxy between a machine and itself. Others go
 * over connections that the host opens for us and we keep, if it can, else over the host's `fetch`: both apply the
 * editor's proxy, certificates and exceptions. That `fetch` ignores the option to verify certificates, so nothing is
 * sent with it while the environment switches verification off (A26).
 */
export function createTransport({
  hostFetch,
  usesHostSockets = () => false,
  network,
}: TransportOptions = {}): PooledTransport {
  const direct = createPoolTransport();
  const kept = createPoolTransport({ openSocket: openHostSocket });
  const host = createFetchTransport(hostFetch);
  network?.onChange(() => kept.reset());
  return {
    send: async (request) => {
      if (isLoopback(request.url.hostname)) {
        return direct.send(request);
      }
      network?.look();
      if (usesHostSockets()) {
        try {
          return await kept.send(request);
        } catch (error) {
          if (!(error instanceof NoHostSocket)) {
            throw error;
          }
        }
      }
      if (isVerificationOff()) {
        throw new HttpFailure('unverified', request.url.host);
      }
      return host.send(request);
    },
    reset: () => kept.reset(),
    close: async () => {
      await Promise.all([direct, kept, host].map((each) => each.close()));
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

export function createPlatformHttp({ userAgent, transport, ...options }: PlatformHttpOptions): Http {
  return createHttp({ transport: transport ?? createTransport(options), lookup, userAgent, clock: systemClock });
}
