import type { Identity } from '../notion/identity.ts';
import type { FailureCode } from '../oauth/errors.ts';
import type { AuthorizationServer, Client, Tokens } from '../oauth/model.ts';
import { includesScopes } from '../oauth/scopes.ts';
import type { ServerNames } from './names.ts';

/** Why the user has to sign in to an account again. */
export type NeedsSignInReason = 'ended' | 'invalidClient' | 'idle' | 'tooOld' | 'noRefreshToken';

/** The stored unit: what Notion gave one user for one workspace. */
export interface Grant {
  /** Random and stable; also `session.id`. */
  id: string;
  /** Counts the changes of the grant; it only grows, even when the user signs in again. */
  generation: number;
  /** The MCP server URL that was configured at sign-in. */
  serverUrl: string;
  /** Sent as the `resource` parameter (RFC 8707). */
  resource: string;
  authorizationServer: AuthorizationServer;
  client: Client;
  tokens: Tokens;
  identity?: Identity;
  /** The key of the identity, by which the editor knows the account; missing while the identity is unknown. */
  accountId?: string;
  /** The account's label: unique, and of this identity for ever. */
  label: string;
  /** The names of the account's MCP server, of this identity for ever; it is offered once it has them. */
  serverNames?: ServerNames;
  /** Scopes that consumers requested at sign-ins to this account. */
  askedScopes: string[];
  /** When the user signed in (local clock). Notion requires a new sign-in after 180 days. */
  signedInAtMs: number;
  /** The machine that obtained the tokens, as the id of its journal; missing if it has no journal. */
  machineId?: string;
  needsSignIn?: { reason: NeedsSignInReason; serverCode?: string };
  /**
   * Present while the authorization server refuses to renew the grant without ending it: why, how often so far, and
   * before when (local clock) the grant is not renewed by itself again.
   */
  refusal?: { code: FailureCode; count: number; retryAtMs: number };
  /** The id of an account that this one has replaced, as both are of the same user and workspace. */
  mergedFrom?: string;
  /** Fields that a newer version stored, carried along unchanged. */
  unknown?: Record<string, unknown>;
}

/**
 * Whether a newer grant of the same account would take scopes from it. Not if both are of the same client, as then the
 * newer consent may have ended this grant at the server.
 */
export function allowsMore(grant: Grant, newer: Pick<Grant, 'client' | 'tokens'>): boolean {
  return newer.client.clientId !== grant.client.clientId && !includesScopes(newer.tokens.scopes, grant.tokens.scopes);
}

/**
 * The grant with new tokens, one generation on. A refresh token or scopes that the token response omits stay as they
 * were (modelcontextprotocol/python-sdk#2270).
 */
export function renewedGrant({ refusal: _, ...grant }: Grant, tokens: Tokens): Grant {
  const { refreshToken, scopes } = grant.tokens;
  return {
    ...grant,
    generation: grant.generation + 1,
    tokens: { ...(refreshToken && { refreshToken }), ...(scopes && { scopes }), ...tokens },
  };
}
