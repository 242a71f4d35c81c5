import { systemClock } from '../../core/clock.ts';
import { createHttp, type Http, type Lookup } from '../../http/client.ts';
import { createFetchTransport } from '../../http/fetchTransport.ts';
import type { PooledTransport } from '../../http/transport.ts';
import type { PlatformHttpOptions, TransportOptions } from '../contract.ts';

/** Sends all requests with the worker's `fetch`. A browser hides the target of a redirect, so none is followed. */
export function createTransport({ hostFetch }: TransportOptions = {}): PooledTransport {
  // The connections are the browser's.
  return { ...createFetchTransport(hostFetch), reset: () => undefined };
}

/** A browser cannot look up names, so only literal addresses are recognized as private. */
export const lookup: Lookup | undefined = undefined;

/** A browser sets `User-Agent` itself. */
export function createPlatformHttp(options: PlatformHttpOptions): Http {
  return createHttp({ transport: options.transport ?? createTransport(options), clock: systemClock });
}
