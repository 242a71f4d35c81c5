import type { Grant } from '../grants/grant.ts';
import type { Entry } from './journal.ts';

/** What is stored, as it was read. */
export interface Snapshot {
  grants: Map<string, KnownGrant>;
  /** Signed out, in whatever window. */
  gone: ReadonlySet<string>;
  /** Records of the vault that cannot be read and of which the journal has no copy. */
  damaged: string[];
}

/** A grant as this window knows it. `readOnly`: others know more, or it was written by a newer version. */
export interface KnownGrant {
  grant: Grant;
  readOnly: boolean;
}

/** The higher generation of vault and journal counts. */
export function newest(
  copy: { kind: 'grant' | 'newer'; grant: Grant } | undefined,
  entry: Entry | undefined,
): KnownGrant | undefined {
  if (entry?.kind === 'locked') {
    // Others wrote with a key that we lack: what we hold is stale unless it is as new as theirs.
    return copy && { grant: copy.grant, readOnly: entry.header.generation > copy.grant.generation };
  }
  const best =
    copy !== undefined && (entry === undefined || copy.grant.generation > entry.grant.generation) ? copy : entry;
  return best && { grant: best.grant, readOnly: best.kind === 'newer' };
}
