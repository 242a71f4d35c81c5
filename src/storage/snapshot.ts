import type { Grant } from '../grants/grant.ts';
import type { Entry } from './journal.ts';

/** Everything that was stored at the time of reading. */
export interface Snapshot {
  grants: Map<string, KnownGrant>;
  /** The ids of grants that were signed out, in any window. */
  gone: ReadonlySet<string>;
  /** The ids of accounts that were merged into another one; their records are still to be removed. */
  merged: string[];
  /** The ids of secret store records that cannot be read and that the journal does not hold either. */
  damaged: string[];
}

/** A grant as this window knows it. `readOnly`: another window has newer credentials, or a newer version wrote it. */
export interface KnownGrant {
  grant: Grant;
  readOnly: boolean;
}

/** The secret store's `copy` or the journal's `entry` of a grant: the higher generation counts. */
export function newest(
  copy: { kind: 'grant' | 'newer'; grant: Grant } | undefined,
  entry: Entry | undefined,
): KnownGrant | undefined {
  if (entry?.kind === 'locked') {
    // Another window wrote the record with a key that we lack: our copy is outdated unless its generation is as high.
    return copy && { grant: copy.grant, readOnly: entry.header.generation > copy.grant.generation };
  }
  const best =
    copy !== undefined && (entry === undefined || copy.grant.generation > entry.grant.generation) ? copy : entry;
  return best && { grant: best.grant, readOnly: best.kind === 'newer' };
}
