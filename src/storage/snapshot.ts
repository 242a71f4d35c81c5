import type { Decoded } from '../grants/codec.ts';
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

/** A grant as this window knows it. */
export interface KnownGrant {
  grant: Grant;
  /** Present if this window must not change the grant. */
  readOnly?: ReadOnly;
}

/** Why a window must not change a grant, and the generation of the record that it cannot use. */
export interface ReadOnly {
  /**
   * `stale`: another window has stored newer credentials, and this one has to be reloaded. `newer`: a newer version of
   * this extension wrote the record. `unreadable`: the disk did not let this window read the record.
   */
  why: 'stale' | 'newer' | 'unreadable';
  generation: number;
}

/** Combines the secret store's copies and the journal's entries, without the grants in `gone`. */
export function combine(
  copies: ReadonlyMap<string, Decoded>,
  entries: ReadonlyMap<string, Entry>,
  gone: ReadonlySet<string>,
): Snapshot {
  const grants = new Map<string, KnownGrant>();
  const damaged: string[] = [];
  for (const id of new Set([...copies.keys(), ...entries.keys()].filter((each) => !gone.has(each)))) {
    const copy = copies.get(id);
    const known = newest(copy?.kind === 'damaged' ? undefined : copy, entries.get(id));
    if (known !== undefined) {
      grants.set(id, known);
    } else if (copy?.kind === 'damaged' && !entries.has(id)) {
      damaged.push(id);
    }
  }
  const merged = [...grants.values()].flatMap(({ grant }) => grant.mergedFrom ?? []).filter((id) => grants.delete(id));
  return { grants, gone, merged, damaged };
}

/** The secret store's `copy` or the journal's `entry` of a grant: the higher generation counts. */
export function newest(
  copy: { kind: 'grant' | 'newer'; grant: Grant } | undefined,
  entry: Entry | undefined,
): KnownGrant | undefined {
  if (entry?.kind === 'stale' || entry?.kind === 'unreadable') {
    const { kind: why, generation } = entry;
    return copy && { ...asKnown(copy), ...(generation > copy.grant.generation && { readOnly: { why, generation } }) };
  }
  const best =
    copy !== undefined && (entry === undefined || copy.grant.generation > entry.grant.generation) ? copy : entry;
  return best && asKnown(best);
}

function asKnown({ kind, grant }: { kind: 'grant' | 'newer'; grant: Grant }): KnownGrant {
  return { grant, ...(kind === 'newer' && { readOnly: { why: kind, generation: grant.generation } }) };
}
