import { HttpFailure } from './http.ts';
import type { Transport } from './transport.ts';

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
