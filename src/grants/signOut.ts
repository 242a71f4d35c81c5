import type { Clock, Randomness } from '../clock.ts';
import type { Log } from '../log.ts';
import { Failure } from '../oauth/failure.ts';
import type { Grant } from './grant.ts';
import type { GrantStore } from './grantStore.ts';
import type { GrantProtocol } from './renewal.ts';

export interface SignOutParts {
  store: GrantStore;
  protocol: GrantProtocol;
  clock: Clock;
  randomness: Randomness;
  log: Log;
  /** Called as soon as no window will use the grant any more, before the server hears of it. */
  forgotten: () => void;
}

const lockWaitMs = 5_000;
const revokeLimitMs = 10_000;

/** Forgets a grant here, whatever the server says, and revokes it there, best effort. */
export async function signOut(grant: Grant, parts: SignOutParts): Promise<void> {
  const { store, protocol, clock, forgotten } = parts;
  const log = parts.log.operation('sign-out', parts.randomness);
  log.info('Signing out.', { grant: grant.id });
  await store.bury(grant.id);
  forgotten();
  const transaction = await store.begin(grant, lockWaitMs).catch(() => undefined);
  try {
    // Another window's renewal may have the newest tokens; one under way finds the tombstone and gives back its own.
    const newest = (await store.lastOf(grant.id).catch(() => undefined)) ?? grant;
    if (newest.needsSignIn === undefined) {
      await revoke(newest, { protocol, clock, log });
    }
    await store.forget(grant.id);
  } finally {
    await transaction?.end();
  }
  log.info('Signed out.', { grant: grant.id });
}

/** For a log line. */
export function kindOf(error: unknown): string {
  return error instanceof Failure ? error.kind : 'unknown';
}

async function revoke(
  grant: Grant,
  { protocol, clock, log }: Pick<SignOutParts, 'protocol' | 'clock' | 'log'>,
): Promise<void> {
  const limit = new Promise<void>((resolve) => clock.after(revokeLimitMs, resolve));
  try {
    await Promise.race([protocol.revoke(grant, log), limit]);
  } catch (error) {
    log.info('The server could not be told of the sign-out.', { grant: grant.id, kind: kindOf(error) });
  }
}
