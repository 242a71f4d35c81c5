import type { Http } from '../../../src/http/client.ts';
import { HttpFailure } from '../../../src/http/errors.ts';
import type { LoopbackServer } from './loopbackServer.ts';

/** An `Http` built on the global `fetch`, for tests of the modules that use `Http`. */
export const fetchHttp: Http = async (request) => {
  const { method, url, headers, body, signal, redirects = 'refuse', privateAddresses = 'allow' } = request;
  if (privateAddresses === 'refuse' && /^(127\.|10\.|192\.168\.|169\.254\.|localhost$|\[::1\])/.test(url.hostname)) {
    throw new HttpFailure('privateAddress', url.host);
  }
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      redirect: 'manual',
      ...(headers && { headers }),
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
  } catch (cause) {
    throw new HttpFailure(signal?.aborted ? 'cancelled' : 'unreachable', url.host, { cause });
  }
  const location = response.headers.get('location');
  if (response.status >= 300 && response.status < 400 && location !== null) {
    const target = new URL(location, url);
    if (redirects === 'refuse' || target.origin !== url.origin) {
      throw new HttpFailure('redirected', url.host);
    }
    return fetchHttp({ ...request, url: target });
  }
  return { status: response.status, headers: response.headers, body: await response.text(), url };
};

/** An `Http` for which `host` is a public host. A loopback server stands in for it, as tests have no public host. */
export function asPublicHost(server: LoopbackServer, host = 'mcp.example'): Http {
  return (request) => {
    const { url } = request;
    if (url.host === host) {
      const standIn = new URL(url.pathname, server.origin);
      return fetchHttp({ ...request, url: standIn, privateAddresses: 'allow' });
    }
    return fetchHttp(request);
  };
}
