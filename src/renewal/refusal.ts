import type { Clock } from '../core/clock.ts';
import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Grant } from '../grants/grant.ts';
import { Failure } from '../oauth/errors.ts';
import { assertLockHeld, type StoreTransaction } from '../storage/transaction.ts';
import type { RenewalResult } from './revokedGrant.ts';

const firstPauseMs = 5 * 60_000;
const longestPauseMs = 24 * 60 * 60_000;

/**
 * Whether a failed renewal is a refusal: the authorization server responded, for a reason that will last but does not
 * end the grant. A redirect is none, as proxies that want a login send one.
 */
export function isRefusal({ kind, details }: Failure): boolean {
  return details.step === 'token' && (kind === 'serverRejected' || kind === 'invalidResponse');
}

/**
 * Stores that the server refused, for all windows: the next renewal is due after twice the previous pause, whichever
 * window makes it. Attempts that the user asks for do not lengthen the pause. @throws Failure if the lock was lost
 */
export async function storeRefusal(
  transaction: StoreTransaction,
  grant: Grant,
  { kind, details }: Failure,
  { clock, log, isAsked }: { clock: Clock; log: Log; isAsked: boolean },
): Promise<RenewalResult> {
  await assertLockHeld(transaction);
  const { step, code, status, retryAfterMs = 0 } = details;
  const earlier = grant.refusal?.count ?? 0;
  const count = isAsked ? Math.max(earlier, 1) : earlier + 1;
  const pauseMs = Math.min(longestPauseMs, Math.max(retryAfterMs, firstPauseMs * 2 ** (count - 1)));
  const refusal = { code, count, retryAtMs: clock.nowMs() + pauseMs };
  const refused: Grant = { ...grant, generation: grant.generation + 1, refusal };
  log.warn('The server refuses to renew the account; trying again later.', {
    account: grant,
    kind,
    step,
    code,
    status,
    refusals: count,
    pauseMs,
  });
  await transaction.write(refused).catch((error: unknown) => {
    log.warn('The refusal could not be stored.', { account: grant, code: systemErrorCode(error) });
  });
  return { outcome: 'refused', grant: refused };
}

/** How long a refused grant is not to be renewed by itself, in milliseconds; 0 if it may be renewed. */
export function refusedForMs({ refusal }: Grant, nowMs: number): number {
  const waitMs = (refusal?.retryAtMs ?? nowMs) - nowMs;
  // A longer wait shows that the clock has been set back since.
  return waitMs > longestPauseMs ? 0 : Math.max(0, waitMs);
}

/** The failure to report for a grant whose renewal the server refuses. */
export function refusalFailure({ authorizationServer }: Grant, { code }: NonNullable<Grant['refusal']>): Failure {
  return new Failure('serverRejected', { step: 'token', code, host: new URL(authorizationServer.tokenEndpoint).host });
}
