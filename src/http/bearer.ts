import type { Secret } from '../core/secret.ts';
import type { Http } from './client.ts';

/** An `Http` that sends an access token with each request (RFC 6750 section 2.1). */
export type BearerHttp = Http & {
  /** The tokens that were sent so far, which have to be redacted if the server quotes them. */
  readonly sent: readonly Secret[];
};

/** Adds the access token to each request of `http`. */
export function withBearer(http: Http, accessToken: Secret): BearerHttp {
  const send: Http = (request) =>
    http({ ...request, headers: { ...request.headers, authorization: `Bearer ${accessToken.reveal()}` } });
  return Object.assign(send, { sent: [accessToken] });
}
