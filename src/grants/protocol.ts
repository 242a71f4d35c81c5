import type { Clock } from '../clock.ts';
import type { Http } from '../http/http.ts';
import { discover } from '../oauth/discovery.ts';
import { Failure } from '../oauth/failure.ts';
import { refresh, revoke } from '../oauth/tokens.ts';
import type { GrantProtocol } from './renewal.ts';

/** What the life of a grant needs of the protocol, over `http`. */
export function grantProtocol(http: Http, clock: Clock): GrantProtocol {
  return {
    refresh: ({ authorizationServer, client, tokens, resource }) => {
      const { refreshToken } = tokens;
      if (refreshToken === undefined) {
        throw new Failure('signInAgain', { step: 'token', code: 'no_refresh_token' });
      }
      return refresh(http, authorizationServer, client, { refreshToken, resource, clock });
    },
    revoke: async ({ authorizationServer, client, tokens }) => {
      const { refreshToken, accessToken } = tokens;
      await (refreshToken === undefined
        ? revoke(http, authorizationServer, client, { token: accessToken, hint: 'access_token' })
        : revoke(http, authorizationServer, client, { token: refreshToken, hint: 'refresh_token' }));
    },
    probe: async ({ serverUrl }) => {
      await discover(http, new URL(serverUrl));
    },
  };
}
