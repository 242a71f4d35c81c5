import type { Secret } from '../core/secret.ts';

/** What discovery learned of an authorization server, as far as we use it. All of it is kept with a grant: its tokens go there and nowhere else. */
export interface AuthorizationServer {
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  registrationEndpoint?: string;
  revocationEndpoint?: string;
  /** RFC 9207: an answer without `iss` is refused. */
  issParameterSupported?: boolean;
  clientIdMetadataDocumentSupported?: boolean;
  scopesSupported?: string[];
  tokenEndpointAuthMethodsSupported?: string[];
  /**
   * The configured MCP server has a private or loopback address, so this server may have one too (A23). Absent, a
   * request to a private address is refused at sign-in.
   */
  onPrivateNetwork?: boolean;
}

/** The result of discovery for one MCP server URL. */
export interface Discovery {
  /** What is sent as `resource`: the MCP server as configured, canonical (A13), or a parent on its origin that it published. */
  resource: string;
  authorizationServer: AuthorizationServer;
  /** What to ask for (A11): the challenge's scope, else the resource metadata's `scopes_supported`, else undefined (omit). */
  scopes?: string[];
}

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
