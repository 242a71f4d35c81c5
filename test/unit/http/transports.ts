import assert from 'node:assert/strict';
import { createPlatformHttp, createTransport } from '#platform/transport';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { createHttp, type Http, type HttpRequest } from '../../../src/http/client.ts';
import { HttpFailure, type HttpFailureKind } from '../../../src/http/errors.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import {
  createPlatformHttp as createBrowserHttp,
  createTransport as createBrowserTransport,
} from '../../../src/platform/browser/transport.ts';

const hostFetch: typeof fetch = () => assert.fail('not direct');

/**
 * The transports that the same tests are run with. The servers of the tests are on loopback, which the first transport
 * reaches over our own connections; the second one has none and uses `fetch`.
 */
export const transports: Record<string, Http> = {
  'direct connections': createPlatformHttp({ userAgent: 'test/1', hostFetch }),
  'extension host fetch': createHttp({
    transport: createFetchTransport(fetch),
    userAgent: 'test/1',
    clock: systemClock,
  }),
  'web worker fetch': createBrowserHttp({ userAgent: 'test/1' }),
};

/** The same with the clock of a test, by which their deadlines pass. */
export function transportsBy(clock: Clock): Record<string, Http> {
  return {
    'direct connections': createHttp({ transport: createTransport({ hostFetch }), clock }),
    'extension host fetch': createHttp({ transport: createFetchTransport(fetch), clock }),
    'web worker fetch': createHttp({ transport: createBrowserTransport(), clock }),
  };
}

/** The kind with which a request fails, as `httpFailureOf`. */
export async function failureKindOf(http: Http, request: HttpRequest): Promise<HttpFailureKind> {
  return (await httpFailureOf(http, request)).kind;
}

/** How a request fails. The failure must be an `HttpFailure` that reveals only the host of the URL. */
export async function httpFailureOf(http: Http, request: HttpRequest): Promise<HttpFailure> {
  const error: unknown = await http(request).then(
    ({ status }) => assert.fail(`got status ${status}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HttpFailure, String(error));
  assert.equal(error.message, `${error.kind}: ${request.url.host}`);
  return error;
}
