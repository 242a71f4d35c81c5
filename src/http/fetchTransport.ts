import { failureOf, HttpFailure } from './errors.ts';
import type { Transport } from './transport.ts';

/** A browser would otherwise add its cookies and might serve tokens from its cache. */
const privacy = {
  redirect: 'manual',
  credentials: 'omit',
  cache: 'no-store',
  referrerPolicy: 'no-referrer',
} as const;

/**
 * A transport over the host's `fetch`, which applies the proxy and certificates of the editor or the browser. That
 * `fetch` closes an event stream after five minutes of silence; callers reopen it.
 */
export function createFetchTransport(hostFetch = globalFetch): Transport {
  let closing = new AbortController();
  return {
    send: async ({ url, signal: callerSignal, ...request }) => {
      const signal = AbortSignal.any([callerSignal, closing.signal]);
      const fail = (cause: unknown): never => {
        throw failureOf(cause, { url, signal });
      };
      const response = await hostFetch(url, { ...request, ...privacy, signal }).catch(fail);
      // A browser reveals that there was a redirect, but not its target; Node returns the redirect as it is.
      if (response.type === 'opaqueredirect') {
        throw new HttpFailure('redirected', url.host);
      }
      const headers = Object.fromEntries(response.headers);
      // `fetch` has already decoded the body, so these headers no longer describe it.
      delete headers['content-encoding'];
      delete headers['content-length'];
      const reader = response.body?.getReader();
      return {
        status: response.status,
        headers,
        read: async () => (await reader?.read().catch(fail))?.value,
        cancel: () => {
          reader?.cancel().catch(() => undefined);
        },
      };
    },
    close: async () => {
      closing.abort();
      closing = new AbortController();
    },
  };
}

/** Called on the global object, without which `fetch` throws, and on each call, because the host may replace it. */
const globalFetch: typeof fetch = (input, init) => globalThis.fetch(input, init);
