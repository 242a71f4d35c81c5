import assert from 'node:assert/strict';
import { createPlatformHttp } from '#platform/transport';
import { systemClock } from '../../../src/core/clock.ts';
import { createHttp, type Http, type HttpRequest } from '../../../src/http/client.ts';
import { HttpFailure, type HttpFailureKind } from '../../../src/http/errors.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import { createPlatformHttp as createBrowserHttp } from '../../../src/platform/browser/transport.ts';

/**
 * The ways in which a request travels, to be held to the same tests. Servers of tests are on loopback, which goes over
 * our own connections; the second way has none and sends there through `fetch`.
 */
export const ways: Record<string, Http> = {
  'our own connections': createPlatformHttp({ userAgent: 'test/1', hostFetch: () => assert.fail('not direct') }),
  'the host’s fetch': createHttp({ host: createFetchTransport(fetch), userAgent: 'test/1', clock: systemClock }),
  'the worker’s fetch': createBrowserHttp({ userAgent: 'test/1' }),
};

/** What a request fails with, which is an `HttpFailure` that tells of its URL the host alone. */
export async function failing(http: Http, request: HttpRequest): Promise<HttpFailureKind> {
  const error: unknown = await http(request).then(
    ({ status }) => assert.fail(`answered ${status}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HttpFailure, String(error));
  assert.equal(error.message, `${error.kind}: ${error.host}`);
  return error.kind;
}
