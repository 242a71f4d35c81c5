import { type Clock, within } from '../core/clock.ts';
import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { Failure } from '../oauth/errors.ts';
import type { GrantRequests } from '../renewal/grantRequests.ts';
import type { GrantStore } from '../storage/grantStore.ts';

export interface SignOutParts {
  store: GrantStore;
  requests: GrantRequests;
  clock: Clock;
  randomness: Randomness;
  log: Log;
  /** Called as soon as no window uses the grant any more, before it is revoked. */
  onForgotten: () => void;
}

const lockWaitMs = 5_000;
const revokeLimitMs = 10_000;

/**
 * Removes a grant from this machine, whatever the authorization server responds, and tries to revoke it.
 * @returns false if the grant could not be revoked
 * @throws the storage's error if the grant could neither be removed nor be given a tombstone
 */
export async function signOut(grant: Grant, parts: SignOutParts): Promise<boolean> {
  const { store, requests, clock, onForgotten } = parts;
  const log = parts.log.operation('sign-out', parts.randomness);
  log.info('Signing out.', { account: grant });
  const hasTombstone = await store.writeTombstone(grant.id).then(
    () => true,
    (error: unknown) => {
      // A full disk must not keep the user signed in.
      log.warn('The tombstone could not be stored; other windows will notice the sign-out later.', {
        code: systemErrorCode(error),
      });
      return false;
    },
  );
  onForgotten();
  const transaction = await store.begin(grant, lockWaitMs).catch(() => undefined);
  let isRevoked = true;
  try {
    // Another window may have stored newer tokens; a renewal in progress finds the tombstone and revokes its own.
    const newest = (await store.readNewest(grant.id).catch(() => undefined)) ?? grant;
    if (newest.needsSignIn === undefined) {
      isRevoked = await revoke(newest, { requests, clock, log });
    }
    await store.forget(grant.id).catch((error: unknown) => {
      // The next synchronization removes a grant that has a tombstone.
      if (!hasTombstone) {
        throw error;
      }
    });
  } finally {
    await transaction?.end().catch(() => undefined);
  }
  log.info('Signed out.', { account: grant });
  return isRevoked;
}

/** The kind of a failure, for a log line. */
export function kindOf(error: unknown): string {
  return error instanceof Failure ? error.kind : 'unknown';
}

/** @returns whether the grant was revoked */
async function revoke(
  grant: Grant,
  { requests, clock, log }: Pick<SignOutParts, 'requests' | 'clock' | 'log'>,
): Promise<boolean> {
  try {
    const revoking = requests.revoke(grant, log).then(() => true);
    return await within(revoking, { clock, limitMs: revokeLimitMs, late: () => false });
  } catch (error) {
    log.info('The grant could not be revoked.', { account: grant, kind: kindOf(error) });
    return false;
  }
}
