import { isHealthy } from '../grants/tokenLife.ts';
import type { Failure } from '../oauth/errors.ts';
import type { JournalFiles } from '../storage/journalFiles.ts';
import type { KnownGrant } from '../storage/snapshot.ts';

export type AccountState =
  /** Its access token is valid. */
  | 'healthy'
  /** Its access token has expired and can be renewed. */
  | 'expired'
  /** The user has to sign in again. */
  | 'needsSignIn'
  /** It belongs to an MCP server URL other than the configured one. */
  | 'dormant'
  /** The authorization server refuses to renew it, for a reason that lasts but does not end it. */
  | 'serverRejected'
  /** This window must not change it; see `ReadOnly` of `storage/snapshot.ts`. */
  | 'readOnly';

/** Whether the user has to act for the account to work, or to keep working. */
export function needsUser(state: AccountState): boolean {
  return state === 'needsSignIn' || state === 'serverRejected';
}

/** The state of a grant while `serverUrl` is the configured MCP server URL. */
export function stateOf({ grant, readOnly }: KnownGrant, serverUrl: string, nowMs: number): AccountState {
  if (grant.serverUrl !== serverUrl) {
    return 'dormant';
  }
  if (grant.needsSignIn !== undefined) {
    return 'needsSignIn';
  }
  if (readOnly !== undefined) {
    return 'readOnly';
  }
  if (grant.refusal !== undefined) {
    return 'serverRejected';
  }
  return isHealthy(grant.tokens, nowMs) ? 'healthy' : 'expired';
}

/**
 * Why the last renewal of an account failed, if the cause may be temporary. `beingConfirmed`: the authorization server
 * rejected it, and one more attempt is to confirm that. `storage`: this computer's disk or another window.
 * `certificate`: the server's is not trusted. `proxy`: it let no request through. `offline`: any other failure of the
 * request. What lasts is a state of the account, not a problem of its renewal.
 */
export type RenewalProblem = 'beingConfirmed' | 'storage' | 'certificate' | 'proxy' | 'offline';

/** Classifies the failure of a renewal; `undefined` without a failure. */
export function renewalProblemOf(failure: Failure | undefined): RenewalProblem | undefined {
  if (failure === undefined) {
    return undefined;
  }
  const { step, code } = failure.details;
  if (code === 'unconfirmed' || code === 'waiting') {
    return 'beingConfirmed';
  }
  if (step === 'storage') {
    return 'storage';
  }
  return code === 'certificate' || code === 'proxy' ? code : 'offline';
}

/** A problem of the storage that the user is told about once. */
export type StorageProblem =
  /** A stored sign-in cannot be read and was set aside. */
  | 'damaged'
  /** SecretStorage lost the key of the stored sign-ins, as it does at each exit of the editor without a keyring. */
  | 'keyLost'
  /** Other users can change the directory of the stored sign-ins. */
  | 'exposed'
  /** Another window stored newer secrets, and this one has to be reloaded before it may store anything. */
  | 'stale';

/** How grants are stored here, and why their last renewals failed. A report must not show these grant ids. */
export interface StorageDiagnostics {
  hasJournal: boolean;
  isKeyLost: boolean;
  /** Whether the watch on the journal has lately been heard. */
  watchWorks: boolean;
  files?: JournalFiles;
  lastFailures: Map<string, Failure>;
}
