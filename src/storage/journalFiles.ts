/**
 * The journal's directory. It lies in the extension's storage of the default profile, so that all profiles of a
 * user-data folder share it. `globalStorageUri` is `…/User/globalStorage/<id>`, or in a profile
 * `…/User/profiles/<profile>/globalStorage/<id>`.
 */
export function journalDirectory(globalStoragePath: string): string {
  const shared = globalStoragePath.replace(
    /[\\/]profiles[\\/][^\\/]+[\\/](globalStorage[\\/][^\\/]+)[\\/]?$/,
    (_, own: string) => `/${own}`,
  );
  return `${shared.replace(/[\\/]$/, '')}/journal`;
}

/** How many files of each kind a grant has, and whether a window holds its lock. */
export interface GrantFiles {
  records: number;
  reserved: number;
  isLocked: boolean;
}

/** The files on the disk, counted by name only, for a report. */
export interface JournalFiles {
  grants: Map<string, GrantFiles>;
  /** How many grants were signed out on this machine. */
  tombstones: number;
  /** Whether a window is storing a sign-in right now. */
  isStoring: boolean;
}

/** The name of a record file, `<grant id>.<generation>.<random>`. */
export interface RecordName {
  name: string;
  id: string;
  generation: number;
}

/** Generations with more digits are not exact numbers, and no grant lives that long. */
const recordName = /^([^.]+)\.(\d{1,15})\.[0-9a-f]+$/;

/** The record files of each grant, highest generation first. */
export function recordsById(names: readonly string[]): Map<string, RecordName[]> {
  const records = new Map<string, RecordName[]>();
  for (const name of names) {
    const [, id, generation] = recordName.exec(name) ?? [];
    if (id !== undefined) {
      records.set(id, [...(records.get(id) ?? []), { name, id, generation: Number(generation) }]);
    }
  }
  for (const list of records.values()) {
    list.sort((a, b) => b.generation - a.generation || (a.name < b.name ? 1 : -1));
  }
  return records;
}

/** Counts the files of each grant. */
export function countFiles(names: readonly string[]): JournalFiles {
  const count = (id: string, suffix: string): number =>
    names.filter((name) => name.startsWith(`${id}.`) && name.endsWith(suffix)).length;
  const grants = [...recordsById(names)].map(([id, records]): [string, GrantFiles] => [
    id,
    {
      records: records.length,
      reserved: count(id, '.reserved'),
      isLocked: names.includes(`${id}.lock`),
    },
  ]);
  return {
    grants: new Map(grants),
    tombstones: names.filter((name) => name.endsWith('.gone')).length,
    isStoring: names.includes('sign-in.lock'),
  };
}
