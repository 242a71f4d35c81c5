import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';
import { isHealthy } from '../grants/tokenLife.ts';

/** Why new tokens are requested. */
export type RenewReason =
  | { reason: 'expiry' }
  /** The MCP server rejected this access token. */
  | { reason: 'rejected'; accessToken: Secret }
  /** The user requested the renewal. */
  | { reason: 'asked' };

/** Whether the tokens that another window stored while this one waited for the lock make a request needless. */
export function canAdopt(
  grant: Grant,
  known: Grant,
  { reason }: RenewReason,
  { startedAtMs, nowMs }: { startedAtMs: number; nowMs: number },
): boolean {
  // A grant also changes without new tokens, as when its identity becomes known.
  if (grant.tokens.accessToken.equals(known.tokens.accessToken)) {
    return false;
  }
  switch (reason) {
    case 'expiry':
      return isHealthy(grant.tokens, nowMs);
    case 'rejected':
      return true;
    case 'asked':
      return grant.tokens.obtainedAtMs >= startedAtMs;
  }
}
