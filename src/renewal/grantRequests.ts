import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Grant } from '../grants/grant.ts';
import { type Http, withLogging } from '../http/client.ts';
import { discover } from '../oauth/discovery.ts';
import { Failure } from '../oauth/errors.ts';
import type { Tokens } from '../oauth/model.ts';
import { revoke } from '../oauth/revocation.ts';
import { refresh } from '../oauth/token.ts';

/** What the life of a grant needs of the protocol, over `plainHttp`. */
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
  };
}

/** What the life of a grant needs of the protocol; its steps go to `log`, that of the operation. */
export interface GrantRequests {
  /** @throws Failure */
  refresh(grant: Grant, log?: Log): Promise<Tokens>;
  /** Best effort. @throws Failure */
  revoke(grant: Grant, log?: Log): Promise<void>;
  /** One request that spends nothing: shows that the network carries us to the server. @throws Failure */
  probe(grant: Grant, log?: Log): Promise<void>;
}
