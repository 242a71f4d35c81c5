import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Grant } from '../grants/grant.ts';
import { isHealthy } from '../grants/tokenLife.ts';
import { Failure } from '../oauth/errors.ts';
import type { StoreTransaction } from '../storage/transaction.ts';
import type { GrantRequests } from './grantRequests.ts';
import type { RenewalResult, RevokedGrant } from './revokedGrant.ts';

interface Parts {
  requests: GrantRequests;
  revokedGrant: RevokedGrant;
  clock: Clock;
  log: Log;
}

/**
 * Decides what becomes of a grant without refresh token, as Notion issues to enterprises: it cannot be renewed, and
 * lives as long as its access token unless a rejection of that token is confirmed.
 * @throws Failure with code `no_refresh_token` if the user asked for the renewal, or as `confirmRejectedToken` does
 */
export async function judgeWithoutRefreshToken(
  transaction: StoreTransaction,
  grant: Grant,
  reason: 'expiry' | 'rejected' | 'asked',
  { requests, revokedGrant, clock, log }: Parts,
): Promise<RenewalResult> {
  if (!isHealthy(grant.tokens, clock.nowMs())) {
    return revokedGrant.endGrant(transaction, grant, log, 'noRefreshToken');
  }
  if (reason === 'rejected' || revokedGrant.confirmAtMs(grant) !== undefined) {
    return revokedGrant.confirmRejectedToken(transaction, grant, () => requests.identify(grant, log), log);
  }
  if (reason === 'asked') {
    throw new Failure('transient', { step: 'token', code: 'no_refresh_token' });
  }
  return { outcome: 'adopted', grant };
}
