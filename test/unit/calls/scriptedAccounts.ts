import type { GatewayAccounts } from '../../../src/calls/forward.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';

/** Accounts without storage, whose behaviour a test can script. */
export class ScriptedAccounts implements GatewayAccounts {
  readonly grants = new Map<string, Grant>();
  /** The access tokens that `renew` was called with. */
  readonly rejected: string[] = [];
  fresh: GatewayAccounts['fresh'] = async (grantId) => this.#grant(grantId);
  renew: GatewayAccounts['renew'] = async (grantId, { accessToken }) => {
    this.rejected.push(accessToken.reveal());
    const grant = this.#grant(grantId);
    if (grant.tokens.accessToken.equals(accessToken)) {
      this.add(grantId, grant.serverUrl, `${accessToken.reveal()}+`);
    }
    return this.#grant(grantId);
  };

  add(id: string, serverUrl: string, accessToken: string): void {
    const { origin } = new URL(serverUrl);
    this.grants.set(id, {
      id,
      generation: 1,
      serverUrl,
      resource: serverUrl,
      authorizationServer: {
        issuer: origin,
        authorizationEndpoint: `${origin}/authorize`,
        tokenEndpoint: `${origin}/token`,
      },
      client: { clientId: 'client', authMethod: 'none' },
      tokens: { accessToken: new Secret(accessToken), obtainedAtMs: 0 },
      label: id,
      askedScopes: [],
      signedInAtMs: 0,
    });
  }

  find(grantId: string): Grant | undefined {
    return this.grants.get(grantId);
  }

  #grant(grantId: string): Grant {
    const grant = this.grants.get(grantId);
    if (grant === undefined) {
      throw new Error(`There is no grant ${grantId}.`);
    }
    return grant;
  }
}
