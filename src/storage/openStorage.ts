import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Files } from '../platform/contract.ts';
import { GrantStore } from './grantStore.ts';
import { Journal } from './journal.ts';
import { lockTiming as defaultLockTiming, Locks, type LockTiming } from './lock.ts';
import { SecretStore, type Secrets } from './secretStore.ts';
import { limitFiles, limitSecrets } from './timeLimits.ts';
import type { Usage } from './usage.ts';

export interface StorageParts {
  secrets: Secrets;
  /** Absent without a disk. */
  files: Files | undefined;
  /** The journal's directory. */
  directory: string;
  lockTiming?: LockTiming;
  clock: Clock;
  randomness: Randomness;
  log: Log;
  /** When this window was opened (wall clock, ms); its view of SecretStorage may be that old. */
  openedAtMs: number;
  usage: Usage;
}

/** Builds the storage of a window over its secrets and its disk, each of whose operations has a time limit. */
export function openStorage({
  secrets,
  files,
  directory,
  lockTiming = defaultLockTiming,
  clock,
  randomness,
  log,
  openedAtMs,
  usage,
}: StorageParts): GrantStore {
  const limited = files && limitFiles(files, clock);
  const disk = limited && {
    journal: new Journal({ files: limited, directory, clock, randomness, openedAtMs }),
    locks: new Locks(limited, directory, clock, randomness, lockTiming),
  };
  const secretStore = new SecretStore(limitSecrets(secrets, clock));
  return new GrantStore({ secretStore, ...(disk && { disk }), clock, randomness, log, usage });
}
