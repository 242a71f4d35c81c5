import { HttpFailure } from './errors.ts';
import type { Transport, Upstream } from './transport.ts';

/** A browser would otherwise add its cookies and might serve tokens from its cache. */
const privacy = {
  redirect: 'manual',
  credentials: 'omit',
  cache: 'no-store',
  referrerPolicy: 'no-referrer',
} as const;

/** Sends requests with the host's `fetch`, and thus with the proxy and certificates of the editor or the browser. */
export function createFetchTransport(hostFetch: typeof fetch): Transport {
  return {
    send: async ({ url, ...request }) => {
      const response = await hostFetch(url, { ...request, ...privacy });
      // A browser reveals that there was a redirect, but not its target; Node returns the redirect as it is.
      if (response.type === 'opaqueredirect') {
        throw new HttpFailure('redirected', url.host);
      }
      const reader = response.body?.getReader();
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        read: async () => (await reader?.read())?.value,
        cancel: () => {
          reader?.cancel().catch(() => undefined);
        },
      };
    },
  };
}

/**
 * An upstream over the host's `fetch`, which follows the editor's network settings (proxy, certificates). That `fetch`
 * closes an event stream after five minutes of silence; callers reopen it.
 */
export function createFetchUpstream(hostFetch: typeof fetch): Upstream {
  let closing = new AbortController();
  return {
    send: async ({ url, signal, ...request }) => {
      const anySignal = AbortSignal.any([signal, closing.signal]);
      const fail = (cause: unknown): never => {
        throw new HttpFailure(anySignal.aborted ? 'cancelled' : 'unreachable', url.host, { cause });
      };
      const response = await hostFetch(url, { ...request, signal: anySignal, redirect: 'manual' }).catch(fail);
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
