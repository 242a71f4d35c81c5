import { HttpFailure } from '../http/http.ts';
import type { Upstream } from './upstream.ts';

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
