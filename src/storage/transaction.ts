import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Grant } from '../grants/grant.ts';
import { Failure } from '../oauth/errors.ts';
import type { Journal, Reserved } from './journal.ts';
import type { HeldLock } from './lock.ts';
import type { SecretStore } from './secretStore.ts';
import { type KnownGrant, newest } from './snapshot.ts';

/** A change of one grant, under its lock. */
export interface StoreTransaction {
  /** The truth of now. @throws Failure when it was signed out, or when this window may not touch it */
  read(): Promise<Grant>;
  /** Whether the lock is still ours; to be asked before anything is sent or written. */
  isOurs(): Promise<boolean>;
  isSignedOut(): Promise<boolean>;
  reserve(like: Grant): Promise<Reserved>;
  write(grant: Grant, replaced: Grant | undefined): Promise<void>;
  /** Answers that came after a lock was lost, the newest first. */
  keptAside(): Promise<Grant[]>;
  end(): Promise<void>;
}

/** @throws Failure where another window took over: whatever it does counts, and nothing is sent or written here */
export async function assertLockHeld(transaction: StoreTransaction): Promise<void> {
  if (!(await transaction.isOurs())) {
    throw new Failure('transient', { step: 'storage', code: 'lock_lost' });
  }
}

export interface DiskTransactionParts {
  secretStore: SecretStore;
  journal: Journal;
  lock: HeldLock;
  /** Whether machines that share the secrets but not this disk have to learn of it. */
  isShared: () => boolean;
  log: Log;
}

/** Changes the journal; the vault too where others depend on it, or where the journal refuses. */
export function diskTransaction(
  known: Grant,
  { secretStore, journal, lock, isShared, log }: DiskTransactionParts,
): StoreTransaction {
  const isSignedOut = async () =>
    (await journal.hasTombstone(known.id)) || (isShared() && (await secretStore.readTombstones()).has(known.id));
  const written = async (grant: Grant, writing: Promise<void>): Promise<void> => {
    try {
      await writing;
    } catch (error) {
      log.warn('The journal refuses a record; the secret storage keeps it.', {
        grant: grant.id,
        code: systemErrorCode(error),
      });
      await secretStore.store(grant);
      return;
    }
    if (isShared()) {
      await secretStore.store(grant).catch((error: unknown) => {
        log.warn('Other machines could not be told of new tokens.', { grant: grant.id, code: systemErrorCode(error) });
      });
    }
  };
  return {
    read: async () => {
      const entry = await journal.readOne(known.id);
      if (entry === 'gone' || (isShared() && (await isSignedOut()))) {
        throw new Failure('invalidGrant', { step: 'storage', code: 'signed_out' });
      }
      const copy = await secretStore.readOne(known.id);
      return writable(newest(copy?.kind === 'damaged' ? undefined : copy, entry), known);
    },
    isOurs: () => lock.isOurs(),
    isSignedOut,
    reserve: async (like) => {
      const place = await journal.reserve(like);
      return { ...place, commit: (grant, replaced) => written(grant, place.commit(grant, replaced)) };
    },
    write: (grant, replaced) => written(grant, journal.write(grant, replaced)),
    keptAside: () => journal.keptAside(known.id),
    end: () => lock.release(),
  };
}

/** Without a disk: every change goes to the vault, and one window at a time is safe. */
export function secretStoreTransaction(known: Grant, secretStore: SecretStore): StoreTransaction {
  return {
    read: async () => {
      const copy = await secretStore.readOne(known.id);
      return writable(newest(copy?.kind === 'damaged' ? undefined : copy, undefined), known);
    },
    isOurs: async () => true,
    isSignedOut: async () => (await secretStore.readOne(known.id)) === undefined,
    reserve: async () => ({
      commit: (grant) => secretStore.store(grant),
      keepAside: async () => undefined,
      discard: async () => undefined,
    }),
    write: (grant) => secretStore.store(grant),
    keptAside: async () => [],
    end: async () => undefined,
  };
}

/** What is stored, or what this window knows where that is newer. */
function writable(found: KnownGrant | undefined, known: Grant): Grant {
  if (found?.readOnly) {
    throw new Failure('transient', { step: 'storage', code: 'read_only' });
  }
  return found !== undefined && found.grant.generation >= known.generation ? found.grant : known;
}
