import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { type Http, HttpFailure, type HttpResponse } from './http.ts';

/**
 * `http` that tells `log`, for the details, of each request: method, host and path, how it ended and how long it took.
 * Never a query or a body, and of the headers only what helps whoever runs the server, in a form that no secret has.
 */
export function loggedHttp(http: Http, log: Log, clock: Clock): Http {
  return async (request) => {
    const { method, url } = request;
    const startMs = clock.monotonicMs();
    const tookMs = (): number => Math.round(clock.monotonicMs() - startMs);
    try {
      const response = await http(request);
      log.debug(method, { url, status: response.status, ms: tookMs(), ...supportValues(response) });
      return response;
    } catch (error) {
      log.debug(method, { url, failed: error instanceof HttpFailure ? error.kind : 'unknown', ms: tookMs() });
      throw error;
    }
  };
}

const requestIds = [
  ['x-request-id', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i],
  ['cf-ray', /^[0-9a-f]{16}(-[A-Z]{3})?$/],
] as const;

/** By these a server's people find the request in their own log. */
function supportValues({ headers }: HttpResponse): Record<string, string> {
  const pairs = [...requestIds, ['retry-after', /^\d{1,9}$/] as const].flatMap(([name, form]) => {
    const value = headers.get(name);
    return value !== null && form.test(value) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(pairs);
}
