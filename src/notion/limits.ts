const dayMs = 24 * 60 * 60_000;

/** How long a grant can live. */
export interface GrantLimits {
  /** From its sign-in, however often it is renewed. */
  lifeMs: number;
  /** Since its last renewal. */
  idleMs: number;
}

/**
 * Notion ends a grant 180 days after its sign-in, or 30 days after its last renewal
 * (developers.notion.com/guides/mcp/build-mcp-client). Other servers state no limits.
 */
export function grantLimits(serverUrl: string): GrantLimits {
  return new URL(serverUrl).hostname === 'mcp.notion.com'
    ? { lifeMs: 180 * dayMs, idleMs: 30 * dayMs }
    : { lifeMs: Number.POSITIVE_INFINITY, idleMs: Number.POSITIVE_INFINITY };
}
