import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Decoded } from '../grants/codec.ts';
import type { Grant } from '../grants/grant.ts';
import { Failure } from '../oauth/errors.ts';
import type { Entry, Journal, Reservation } from './journal.ts';
import type { HeldLock } from './lock.ts';
import type { SecretStore } from './secretStore.ts';
import type { SharedMachines } from './sharedMachines.ts';
import { newest, type ReadOnly } from './snapshot.ts';

/** A transaction that changes one grant, under its lock. */
export interface StoreTransaction {
  /**
   * The grant as it is now. For a sign-in, which replaces all of it, a record that the disk does not let this window read
   * counts as the newest one. @throws Failure if it was signed out, or if this window must not change it
   */
  read(options?: ReadOptions): Promise<Grant>;
  /** Whether this window still holds the lock; check before anything is sent or written. */
  isOurs(): Promise<boolean>;
  isSignedOut(): Promise<boolean>;
  reserve(like: Grant): Promise<Reservation>;
  write(grant: Grant): Promise<void>;
  end(): Promise<void>;
}

export interface ReadOptions {
  forSignIn?: boolean;
}

/** @throws Failure if another window took over the lock: its changes count, and this one must not send or write */
export async function assertLockHeld(transaction: StoreTransaction): Promise<void> {
  if (!(await transaction.isOurs())) {
    throw new Failure('transient', { step: 'storage', code: 'lock_lost' });
  }
}

export interface DiskTransactionParts {
  secretStore: SecretStore;
  journal: Journal;
  lock: HeldLock;
  machines: SharedMachines;
  log: Log;
}

/** Changes the journal, and the secret store too if other machines depend on it or the journal cannot be written. */
export function diskTransaction(
  known: Grant,
  { secretStore, journal, lock, machines, log }: DiskTransactionParts,
): StoreTransaction {
  const isSignedOut = async () => (await journal.hasTombstone(known.id)) || (await machines.isSignedOut(known.id));
  const writeOrStore = async (grant: Grant, journalWrite: Promise<void>): Promise<void> => {
    try {
      await journalWrite;
    } catch (error) {
      log.warn('A record could not be written to the journal; storing it in the secret storage.', {
        account: grant,
        code: systemErrorCode(error),
      });
      await secretStore.store(grant);
      return;
    }
    await machines.share(grant);
  };
  return {
    read: async (options) => {
      const entry = await journal.readOne(known.id);
      if (entry === 'gone' || (await machines.isSignedOut(known.id))) {
        throw new Failure('invalidGrant', { step: 'storage', code: 'signed_out' });
      }
      return newestWritable(await secretStore.readOne(known.id), entry, known, options);
    },
    isOurs: () => lock.isOurs(),
    isSignedOut,
    reserve: async (like) => {
      const reservation = await journal.reserve(like);
      return { ...reservation, commit: (grant) => writeOrStore(grant, reservation.commit(grant)) };
    },
    write: (grant) => writeOrStore(grant, journal.write(grant)),
    end: () => lock.release(),
  };
}

/** Without a disk: every change goes to the secret store, which is safe with one window at a time. */
export function secretStoreTransaction(known: Grant, secretStore: SecretStore): StoreTransaction {
  return {
    read: async () => newestWritable(await secretStore.readOne(known.id), undefined, known),
    isOurs: async () => true,
    isSignedOut: async () => (await secretStore.readOne(known.id)) === undefined,
    reserve: async () => ({
      commit: (grant) => secretStore.store(grant),
      discard: async () => undefined,
    }),
    write: (grant) => secretStore.store(grant),
    end: async () => undefined,
  };
}

/**
 * The stored grant, in the secret store's `copy` or the journal's `entry`, or the one that this window knows if that is
 * newer. @throws Failure if it is read-only
 */
function newestWritable(
  copy: Decoded | undefined,
  entry: Entry | undefined,
  known: Grant,
  { forSignIn = false }: ReadOptions = {},
): Grant {
  const isCopyNewer = copy !== undefined && copy.kind !== 'damaged' && copy.grant.generation >= known.generation;
  const { grant, readOnly } = newest(isCopyNewer ? copy : { kind: 'grant', grant: known }, entry) ?? { grant: known };
  if (readOnly === undefined) {
    return grant;
  }
  if (readOnly.why === 'unreadable' && forSignIn) {
    return { ...grant, generation: readOnly.generation };
  }
  throw readOnlyFailure(readOnly);
}

const readOnlyCodes = { stale: 'read_only', newer: 'newer_version', unreadable: 'unreadable' } as const;

/** The failure to report for a grant that this window must not change. */
export function readOnlyFailure({ why }: ReadOnly): Failure {
  return new Failure('transient', { step: 'storage', code: readOnlyCodes[why] });
}
