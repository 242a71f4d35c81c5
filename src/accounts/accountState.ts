import { isHealthy } from '../grants/tokenLife.ts';
import type { Known } from '../storage/transaction.ts';

export type AccountState =
  /** Its token is good. */
  | 'healthy'
  /** Its token is over and can be renewed. */
  | 'expired'
  /** Only the person can bring it back. */
  | 'needsSignIn'
  /** It belongs to another server URL than the configured one. */
  | 'dormant'
  /** Others know more of it than this window, or a newer version wrote it: reload to use it. */
  | 'readOnly';

export function stateOf({ grant, readOnly }: Known, serverUrl: string, nowMs: number): AccountState {
  if (grant.serverUrl !== serverUrl) {
    return 'dormant';
  }
  if (grant.needsSignIn !== undefined) {
    return 'needsSignIn';
  }
  if (readOnly) {
    return 'readOnly';
  }
  return isHealthy(grant.tokens, nowMs) ? 'healthy' : 'expired';
}
