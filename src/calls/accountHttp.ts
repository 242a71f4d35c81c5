import type { Secret } from '../core/secret.ts';
import { type BearerHttp, withBearer } from '../http/bearer.ts';
import type { Http } from '../http/client.ts';
import { HttpFailure } from '../http/errors.ts';
import { retryAfterMs } from '../http/retryAfter.ts';
import { type AccountCallParts, callAccount } from './accountCall.ts';

/**
 * An `Http` for our own requests to an account's MCP server, each of which is a call of the account. Requests to any
 * other URL are refused, as the token is for that server only.
 * @throws Failure, unlike other `Http`s, if the token cannot be renewed
 */
export function accountHttp(parts: AccountCallParts, grantId: string, http: Http): BearerHttp {
  const sent: Secret[] = [];
  const call: Http = (request) =>
    callAccount(parts, grantId, {
      signal: request.signal,
      send: async ({ serverUrl, tokens: { accessToken } }) => {
        if (request.url.href !== new URL(serverUrl).href) {
          throw new HttpFailure('insecure', request.url.host);
        }
        sent.push(accessToken);
        return withBearer(http, accessToken)(request);
      },
      pauseMs: ({ headers }) => retryAfterMs(headers),
    });
  return Object.assign(call, { sent });
}
