import { type Clock, within } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Grant } from '../grants/grant.ts';
import { withBearer } from '../http/bearer.ts';
import { type Http, withLogging } from '../http/client.ts';
import { type Identity, readIdentity } from '../notion/identity.ts';
import { Failure } from '../oauth/errors.ts';
import type { Tokens } from '../oauth/model.ts';
import { revoke } from '../oauth/revocation.ts';
import { refresh, tokenLimitMs } from '../oauth/token.ts';
import { probe } from './probe.ts';

const identityLimitMs = 15_000;

/** Creates the OAuth requests of a stored grant, sent over `plainHttp`. */
export function createGrantRequests(plainHttp: Http, clock: Clock): GrantRequests {
  const logged = (log?: Log): Http => (log === undefined ? plainHttp : withLogging(plainHttp, log, clock));
  const olderOrigins = new Set<string>();
  return {
    refresh: async ({ authorizationServer, client, tokens, resource }, log) => {
      const { refreshToken } = tokens;
      if (refreshToken === undefined) {
        throw new Failure('invalidGrant', { step: 'token', code: 'no_refresh_token' });
      }
      const endMs = clock.monotonicMs() + tokenLimitMs;
      const send = (target: string | undefined) =>
        refresh(logged(log), authorizationServer, client, {
          refreshToken,
          resource: target,
          clock,
          deadlineMs: Math.max(1, endMs - clock.monotonicMs()),
        });
      try {
        return await send(resource);
      } catch (error) {
        // The server does not accept this resource (RFC 8707 section 2), but may renew for the one that it granted.
        if (error instanceof Failure && error.details.code === 'invalid_target') {
          return send(undefined);
        }
        throw error;
      }
    },
    revoke: async ({ authorizationServer, client, tokens }, log) => {
      const http = logged(log);
      const { refreshToken, accessToken } = tokens;
      await (refreshToken === undefined
        ? revoke(http, authorizationServer, client, { token: accessToken, hint: 'access_token' })
        : revoke(http, authorizationServer, client, { token: refreshToken, hint: 'refresh_token' }));
    },
    probe: ({ authorizationServer }, log) => probe(logged(log), authorizationServer, clock),
    identify: ({ serverUrl, tokens }, log) =>
      within(readIdentity(withBearer(logged(log), tokens.accessToken), new URL(serverUrl), { olderOrigins }), {
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
  /** Checks that the network leads to the authorization server; see `probe.ts`. @throws Failure `transient` */
  probe(grant: Grant, log?: Log): Promise<void>;
  /**
   * Reads whose account it is, with the access token as it is: a renewal confirms a rejection by it, so it must not
   * renew. @throws Failure
   */
  identify(grant: Grant, log?: Log): Promise<Identity>;
}
