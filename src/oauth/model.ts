import type { Secret } from '../core/secret.ts';

/**
 * The authorization server metadata that we use. It is stored with each grant, and the grant's tokens are sent to these
 * endpoints only.
 */
export interface AuthorizationServer {
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  registrationEndpoint?: string;
  revocationEndpoint?: string;
  /** The server always sends `iss` (RFC 9207), so an authorization response without it is rejected. */
  issParameterSupported?: boolean;
  clientIdMetadataDocumentSupported?: boolean;
  scopesSupported?: string[];
  tokenEndpointAuthMethodsSupported?: string[];
  /**
   * The configured MCP server has a private or loopback address, so the authorization server may have one too (A23).
   * Without it, requests to private addresses are refused at sign-in.
   */
  onPrivateNetwork?: boolean;
}

/** The result of discovery for one MCP server URL. */
export interface Discovery {
  /**
   * The value of the `resource` parameter: the canonical form of the configured MCP server URL (A13), or the parent URL
   * on the same origin that the server publishes.
   */
  resource: string;
  authorizationServer: AuthorizationServer;
  /**
   * The scopes to request (A11): the challenge's `scope`, else the resource metadata's `scopes_supported`. If
   * undefined, the parameter is omitted.
   */
  scopes?: string[];
}

export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post';

/** Our registration at one authorization server for one redirect URI. It is never used with another issuer (A10). */
export interface Client {
  clientId: string;
  clientSecret?: Secret;
  authMethod: ClientAuthMethod;
  clientIdIssuedAtSeconds?: number;
  /** If 0 or absent, the secret does not expire. */
  clientSecretExpiresAtSeconds?: number;
}

/** A token endpoint's response. */
export interface Tokens {
  accessToken: Secret;
  refreshToken?: Secret;
  /** When the response arrived by our clock, in milliseconds since the epoch. */
  obtainedAtMs: number;
  /** The value of `expires_in`; undefined if it is missing or implausible. */
  expiresInSeconds?: number;
  /** The granted scopes, if the server named them. */
  scopes?: string[];
}
