import { HttpFailure } from './errors.ts';
import type { Transport, Upstream } from './transport.ts';

/** Carries requests over the host's `fetch`, and with it over the editor's proxy and certificates, or the browser's. */
export function createFetchTransport(hostFetch: typeof fetch): Transport {
  return {
    send: async ({ url, ...request }) => {
      const response = await hostFetch(url, {
        ...request,
        redirect: 'manual',
        // A browser would else add its cookies and read tokens from its cache.
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
      });
      // A browser tells that there was a redirect, but not where to; Node hands it over as it is.
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
 * An upstream over the host's `fetch`, which follows the editor's network settings (proxy, certificates). It ends an
 * event stream that is silent for five minutes; callers open it again.
 */
export function createFetchUpstream(hostFetch: typeof fetch): Upstream {
  let closing = new AbortController();
  return {
    send: async ({ url, signal, ...request }) => {
      const either = AbortSignal.any([signal, closing.signal]);
      const fail = (cause: unknown): never => {
        throw new HttpFailure(either.aborted ? 'cancelled' : 'unreachable', url.host, { cause });
      };
      const response = await hostFetch(url, { ...request, signal: either, redirect: 'manual' }).catch(fail);
      const headers = Object.fromEntries(response.headers);
      // `fetch` has undone the encoding, so these no longer describe what is read.
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
