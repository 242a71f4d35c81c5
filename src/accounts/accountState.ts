import { isHealthy } from '../grants/tokenLife.ts';
import type { Failure } from '../oauth/errors.ts';
import type { JournalFiles } from '../storage/journalFiles.ts';
import type { KnownGrant } from '../storage/snapshot.ts';

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

export function stateOf({ grant, readOnly }: KnownGrant, serverUrl: string, nowMs: number): AccountState {
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

/**
 * Why the last renewal of an account failed, where that may pass. `refused`: the server's refusal is confirmed soon,
 * before it is believed. `storage`: this computer's disk or another window. `offline`: everything on the way to the server.
 */
export type RenewalProblem = 'beingConfirmed' | 'storage' | 'offline';

export function renewalProblemOf(failure: Failure | undefined): RenewalProblem | undefined {
  if (failure === undefined) {
    return undefined;
  }
  const { step, code } = failure.details;
  if (code === 'unconfirmed' || code === 'waiting') {
    return 'beingConfirmed';
  }
  return step === 'storage' ? 'storage' : 'offline';
}

/** What the person should hear of once. */
export type StorageProblem =
  /** A stored sign-in cannot be read and was kept aside. */
  | 'damaged'
  /** The editor's secret storage loses everything when the editor ends. */
  | 'volatile'
  /** Another window knows more, and this one has to be reloaded before it may store anything. */
  | 'stale';

/** How sign-ins are kept here, and how their last renewals failed. By grant id: to be replaced before it is shown. */
export interface StorageDiagnostics {
  hasJournal: boolean;
  isVolatile: boolean;
  /** Other windows' changes are heard of without looking. */
  watchWorks: boolean;
  files?: JournalFiles;
  lastFailures: Map<string, Failure>;
}
