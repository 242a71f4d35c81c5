import type { Identity } from '../notion/identity.ts';
import type { AuthorizationServer, Client, Tokens } from '../oauth/model.ts';

/** Why an account needs its person. */
export type NeedsSignInReason = 'ended' | 'invalidClient' | 'idle' | 'tooOld' | 'noRefreshToken';

/** The stored unit: what Notion gave one user for one workspace. */
export interface Grant {
  /** Random and stable; also `session.id`. */
  id: string;
  /** Renewal counter; only grows, also across a re-sign-in. */
  generation: number;
  /** The MCP server URL as it was configured at sign-in. */
  serverUrl: string;
  /** What is sent as `resource` (RFC 8707). */
  resource: string;
  authorizationServer: AuthorizationServer;
  client: Client;
  tokens: Tokens;
  identity?: Identity;
  /** The account label, unique; fixed at sign-in. */
  label: string;
  /** Scopes that consumers asked for at sign-ins of this account. */
  askedScopes: string[];
  /** When the person signed in (our clock); Notion asks again after 180 days. */
  signedInAtMs: number;
  /** The journal of the machine that obtained the tokens; missing where there is none. */
  machineId?: string;
  needsSignIn?: { reason: NeedsSignInReason; serverCode?: string };
  /** Fields a newer version stored, carried along untouched. */
  unknown?: Record<string, unknown>;
}

/**
 * The new tokens in the old grant, one generation on, obtained by the machine of `home`. What the answer leaves out
 * stays as it was (modelcontextprotocol/python-sdk#2270).
 */
export function renewedGrant({ machineId: _, ...grant }: Grant, tokens: Tokens, machineId: string | undefined): Grant {
  const { refreshToken, scopes } = grant.tokens;
  return {
    ...grant,
    generation: grant.generation + 1,
    tokens: { ...(refreshToken && { refreshToken }), ...(scopes && { scopes }), ...tokens },
    ...(machineId !== undefined && { machineId }),
  };
}
