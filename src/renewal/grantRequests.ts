import { type Clock, within } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Grant } from '../grants/grant.ts';
import { type Http, withLogging } from '../http/client.ts';
import { type Identity, readIdentity } from '../notion/identity.ts';
import { discover } from '../oauth/discovery.ts';
import { Failure } from '../oauth/errors.ts';
import type { Tokens } from '../oauth/model.ts';
import { revoke } from '../oauth/revocation.ts';
import { refresh } from '../oauth/token.ts';

const identityLimitMs = 15_000;

/** Creates the OAuth requests of a stored grant, sent over `plainHttp`. */
export function createGrantRequests(plainHttp: Http, clock: Clock): GrantRequests {
  const logged = (log?: Log): Http => (log === undefined ? plainHttp : withLogging(plainHttp, log, clock));
  return {
    refresh: ({ authorizationServer, client, tokens, resource }, log) => {
      const { refreshToken } = tokens;
      if (refreshToken === undefined) {
        throw new Failure('invalidGrant', { step: 'token', code: 'no_refresh_token' });
      }
      return refresh(logged(log), authorizationServer, client, { refreshToken, resource, clock });
    },
    revoke: async ({ authorizationServer, client, tokens }, log) => {
      const http = logged(log);
      const { refreshToken, accessToken } = tokens;
      await (refreshToken === undefined
        ? revoke(http, authorizationServer, client, { token: accessToken, hint: 'access_token' })
        : revoke(http, authorizationServer, client, { token: refreshToken, hint: 'refresh_token' }));
    },
    probe: async ({ serverUrl }, log) => {
      await discover(logged(log), new URL(serverUrl));
    },
    identify: ({ serverUrl, tokens }, log) =>
      within(readIdentity(logged(log), new URL(serverUrl), tokens.accessToken), {
        clock,
        limitMs: identityLimitMs,
        late: () => {
          throw new Failure('transient', { step: 'identity', code: 'timeout' });
        },
      }),
  };
}

/** The OAuth requests of a stored grant. Each HTTP request is logged to `log`, the log of the operation. */
export interface GrantRequests {
  /** Exchanges the refresh token for new tokens. @throws Failure */
  refresh(grant: Grant, log?: Log): Promise<Tokens>;
  /** Revokes the refresh token, or the access token if there is none; best effort for all callers. @throws Failure */
  revoke(grant: Grant, log?: Log): Promise<void>;
  /** Checks that the server can be reached, by a request that spends nothing (discovery). @throws Failure */
  probe(grant: Grant, log?: Log): Promise<void>;
  /** Reads whose account it is, with the access token as it is. @throws Failure */
  identify(grant: Grant, log?: Log): Promise<Identity>;
}
