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
  protocol: GrantRequests;
  clock: Clock;
  randomness: Randomness;
  log: Log;
  /** Called as soon as no window will use the grant any more, before the server hears of it. */
  onForgotten: () => void;
}

const lockWaitMs = 5_000;
const revokeLimitMs = 10_000;

/**
 * Forgets a grant here, whatever the server says, and revokes it there, best effort. @throws what the storage says
 * where it can neither be forgotten nor be marked as gone
 * @returns false when the server could not be told
 */
export async function signOut(grant: Grant, parts: SignOutParts): Promise<boolean> {
  const { store, protocol, clock, onForgotten } = parts;
  const log = parts.log.operation('sign-out', parts.randomness);
  log.info('Signing out.', { grant: grant.id });
  const hasTombstone = await store.writeTombstone(grant.id).then(
    () => true,
    (error: unknown) => {
      // A full disk keeps nobody signed in.
      log.warn('The sign-out could not be marked; other windows hear of it later.', { code: systemErrorCode(error) });
      return false;
    },
  );
  onForgotten();
  const transaction = await store.begin(grant, lockWaitMs).catch(() => undefined);
  let isTold = true;
  try {
    // Another window's renewal may have the newest tokens; one under way finds the tombstone and gives back its own.
    const newest = (await store.lastOf(grant.id).catch(() => undefined)) ?? grant;
    if (newest.needsSignIn === undefined) {
      isTold = await revoke(newest, { protocol, clock, log });
    }
    await store.forget(grant.id).catch((error: unknown) => {
      // What is marked as gone is forgotten by the next look.
      if (!hasTombstone) {
        throw error;
      }
    });
  } finally {
    await transaction?.end().catch(() => undefined);
  }
  log.info('Signed out.', { grant: grant.id });
  return isTold;
}

/** For a log line. */
export function kindOf(error: unknown): string {
  return error instanceof Failure ? error.kind : 'unknown';
}

/** Whether the server was told. */
async function revoke(
  grant: Grant,
  { protocol, clock, log }: Pick<SignOutParts, 'protocol' | 'clock' | 'log'>,
): Promise<boolean> {
  try {
    const revoking = protocol.revoke(grant, log).then(() => true);
    return await within(revoking, { clock, limitMs: revokeLimitMs, late: () => false });
  } catch (error) {
    log.info('The server could not be told of the sign-out.', { grant: grant.id, kind: kindOf(error) });
    return false;
  }
}
