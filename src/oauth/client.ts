import type { Secret } from '../core/secret.ts';

export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post';

/** Our registration at one authorization server, for one redirect URI. Never used at another issuer (A10). */
export interface Client {
  clientId: string;
  clientSecret?: Secret;
  authMethod: ClientAuthMethod;
  clientIdIssuedAtSeconds?: number;
  /** 0 or absent: does not expire. */
  clientSecretExpiresAtSeconds?: number;
}

/** What a token endpoint answered. */
export interface Tokens {
  accessToken: Secret;
  refreshToken?: Secret;
  /** When the answer arrived, our clock, milliseconds since the epoch. */
  obtainedAtMs: number;
  /** `expires_in` as understood; undefined when missing or absurd. */
  expiresInSeconds?: number;
  /** The granted scopes, when the server named them. */
  scopes?: string[];
}
