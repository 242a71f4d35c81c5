import type { Clock } from '../core/clock.ts';
import type { Http, HttpResponse } from '../http/client.ts';
import { HttpFailure, isNetworkFailure } from '../http/errors.ts';
import { serverWellKnowns } from '../oauth/discovery.ts';
import { isHtml, transportFailure } from '../oauth/errorResponse.ts';
import { Failure } from '../oauth/errors.ts';
import type { AuthorizationServer } from '../oauth/model.ts';

/** The time limit of all requests of a probe together. */
export const probeLimitMs = 10_000;

/**
 * Checks that the network leads to the token endpoint, with a GET request, which spends nothing. What the server says
 * does not matter: only the renewal itself can tell whether the server renews. Where the response may be a captive
 * portal's, or there is none in time, those of the server's metadata URLs decide: some servers return a web page for any
 * GET, or never respond to one at this endpoint.
 * @throws Failure `transient` if the server cannot be reached or if every response looks like a captive portal's
 */
export async function probe(http: Http, { issuer, tokenEndpoint }: AuthorizationServer, clock: Clock): Promise<void> {
  const endMs = clock.monotonicMs() + probeLimitMs;
  const tokenUrl = new URL(tokenEndpoint);
  let failure = new Failure('transient', { step: 'token', code: 'html', host: tokenUrl.host });
  for (const url of [tokenUrl, ...serverWellKnowns(new URL(issuer))]) {
    const isTokenUrl = url === tokenUrl;
    const remainingMs = Math.max(1, endMs - clock.monotonicMs());
    try {
      const response = await http({
        method: 'GET',
        url,
        headers: { accept: 'application/json' },
        redirects: 'sameOrigin',
        deadlineMs: isTokenUrl ? remainingMs / 2 : remainingMs,
      });
      if (!isLikePortal(response)) {
        return;
      }
    } catch (error) {
      if (!(error instanceof HttpFailure) || (isTokenUrl && error.kind !== 'timeout' && isNetworkFailure(error.kind))) {
        throw transportFailure(error, 'token');
      }
      if (error.kind !== 'redirected' && !isNetworkFailure(error.kind)) {
        return;
      }
      if (isTokenUrl && error.kind === 'timeout') {
        failure = transportFailure(error, 'token');
      }
    }
  }
  throw failure;
}

/** A captive portal shows its page instead, or says that it wants a login (RFC 6585 section 6). */
function isLikePortal({ status, headers, body }: HttpResponse): boolean {
  return status === 407 || status === 511 || (status < 300 && isHtml(headers, body));
}
