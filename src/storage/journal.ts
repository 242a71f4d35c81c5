import type { Clock } from '../core/clock.ts';
import { toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { decodeGrant, encodeGrant, formatVersion } from '../grants/codec.ts';
import type { Grant } from '../grants/grant.ts';
import type { Files } from '../platform/contract.ts';
import { decrypt, encrypt, type Header, type JournalKey, readHeader } from './encryption.ts';
import { countFiles, type JournalFiles, type RecordName, recordsById } from './journalFiles.ts';
import type { StoredRegistry } from './nameRegistry.ts';

/** What the journal holds for one grant. */
export type Entry =
  | { kind: 'grant'; grant: Grant }
  /** Written by a newer version of this extension. */
  | { kind: 'newer'; grant: Grant }
  /** There is a newer record that another window wrote since this one was opened, with a key that this one lacks. */
  | { kind: 'stale'; generation: number }
  /** There is a newer record, but the disk did not let this window read it. */
  | { kind: 'unreadable'; generation: number };

/** A file that was reserved on the disk before the refresh token is spent. */
export interface Reservation {
  /** Writes the record into the file and gives it its final name; from then on all windows see it. */
  commit(grant: Grant): Promise<void>;
  discard(): Promise<void>;
}

/** What the journal holds. */
export interface JournalContents {
  entries: Map<string, Entry>;
  /** The ids of the grants that were signed out. */
  gone: Set<string>;
  /** The ids of grants with a record whose key is lost. Older records and the secret store's copy count instead. */
  keyless: Set<string>;
}

/** More than a longer token, scope list and header can add to a record. */
const spareBytes = 8_192;
/** The file system's time of a file can differ this much from the clock. */
const timeSlackMs = 100;
/** On web hosts, the page loads its secrets this long before the extension host starts. */
const startSlackMs = 5_000;

export interface JournalParts {
  files: Files;
  directory: string;
  clock: Clock;
  randomness: Randomness;
  /** When this window was opened (wall clock, ms): on web hosts it knows no key that was stored later. */
  openedAtMs: number;
}

/**
 * The authoritative records of all grants, encrypted, in files that are written once and never changed. Of a grant's
 * records, the readable one with the highest generation counts. One bad file costs its own account at most: see
 * schema.md.
 */
export class Journal {
  readonly #files: Files;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #openedAtMs: number;
  readonly #keys = new Map<string, JournalKey>();

  constructor({ files, directory, clock, randomness, openedAtMs }: JournalParts) {
    this.#files = files;
    this.#directory = directory;
    this.#clock = clock;
    this.#randomness = randomness;
    this.#openedAtMs = openedAtMs;
  }

  /** Every key that this window knows. */
  get keys(): JournalKey[] {
    return [...this.#keys.values()];
  }

  /** Adds keys for reading records. Of all keys, the first by id encrypts new records. */
  addKeys(keys: Iterable<JournalKey>): void {
    for (const key of keys) {
      this.#keys.set(key.id, key);
    }
  }

  /** Creates the directory, or makes it private. @throws as `Files.makePrivateDirectory` does */
  prepare(): Promise<void> {
    return this.#files.makePrivateDirectory(this.#directory);
  }

  /** Whether there is a record, readable or not. */
  async hasRecords(): Promise<boolean> {
    return recordsById(await this.#files.list(this.#directory)).size > 0;
  }

  watch(changed: () => void): { close(): void } {
    return this.#files.watch(this.#directory, changed);
  }

  /** Reads everything. @throws the file system's error if the directory cannot be listed */
  async read(): Promise<JournalContents> {
    const names = await this.#files.list(this.#directory);
    const gone = new Set(names.filter((name) => name.endsWith('.gone')).map((name) => name.slice(0, -'.gone'.length)));
    const entries = new Map<string, Entry>();
    const keyless = new Set<string>();
    for (const [id, records] of recordsById(names)) {
      const entry = gone.has(id) ? undefined : await this.#newest(records, () => keyless.add(id));
      if (entry !== undefined) {
        entries.set(id, entry);
      }
    }
    return { entries, gone, keyless };
  }

  /** What the journal holds for one grant. */
  async readOne(grantId: string): Promise<Entry | 'gone' | undefined> {
    const names = await this.#files.list(this.#directory);
    return names.includes(`${grantId}.gone`) ? 'gone' : this.#newest(recordsById(names).get(grantId) ?? []);
  }

  /** The newest record of a grant, whether or not it was signed out. */
  async readNewest(grantId: string): Promise<Entry | undefined> {
    return this.#newest(recordsById(await this.#files.list(this.#directory)).get(grantId) ?? []);
  }

  /** Reserves the space that a record of about this size needs. @throws if the disk is full or read-only */
  async reserve(like: Grant): Promise<Reservation> {
    const random = toHex(this.#randomness.bytes(8));
    const path = this.#path(`${like.id}.${random}.reserved`);
    await this.#files.create(path, ' '.repeat(encodeGrant(like).length * 2 + spareBytes));
    return {
      commit: async (grant) => {
        const name = this.#path(`${grant.id}.${grant.generation}.${random}`);
        const encrypted = await this.#encrypt(grant);
        try {
          await this.#files.overwrite(path, encrypted);
          await this.#files.rename(path, name);
        } catch {
          // Another window may have removed the reserved file, or it became unusable: the record must still be stored.
          await this.#files.create(`${path}.again`, encrypted);
          await this.#files.rename(`${path}.again`, name);
        }
        await this.#removeOlder(grant);
      },
      discard: () => this.#files.remove(path),
    };
  }

  /** Reserves a file and writes a record into it. @throws if the disk is full or read-only */
  async write(grant: Grant): Promise<void> {
    const reservation = await this.reserve(grant);
    await reservation.commit(grant);
  }

  /** Marks the grant as signed out for ever. The file is empty. @throws also if something else has its name */
  async writeTombstone(grantId: string): Promise<void> {
    if (!(await this.#files.create(this.#path(`${grantId}.gone`), '')) && !(await this.hasTombstone(grantId))) {
      throw new Error('something else has the name of the tombstone');
    }
  }

  async hasTombstone(grantId: string): Promise<boolean> {
    return (await this.#files.read(this.#path(`${grantId}.gone`))) !== undefined;
  }

  /** The id of this journal, created by the first window that uses it; `undefined` while that window writes it. */
  async machineId(): Promise<string | undefined> {
    const path = this.#path('machineId');
    await this.#files.create(path, toHex(this.#randomness.bytes(8)));
    const machineId = await this.#files.read(path);
    // The window that created the file may not have written the id yet.
    return machineId?.length === 16 ? machineId : undefined;
  }

  /** The registry of names; `lost` if it was deleted, which shows in the tombstones that are kept for ever. */
  async readNames(): Promise<StoredRegistry> {
    const registry = await this.#files.read(this.#path('names'));
    const names = registry === undefined ? await this.#files.list(this.#directory) : [];
    return names.some((name) => name.endsWith('.gone')) ? 'lost' : registry;
  }

  async writeNames(registry: string): Promise<void> {
    const path = this.#path(`names.${toHex(this.#randomness.bytes(8))}.new`);
    await this.#files.create(path, registry);
    await this.#files.rename(path, this.#path('names'));
  }

  /** Removes every file of a grant except its tombstone and its lock. */
  async forget(grantId: string): Promise<void> {
    for (const name of await this.#files.list(this.#directory)) {
      if (name.startsWith(`${grantId}.`) && !name.endsWith('.gone') && !name.endsWith('.lock')) {
        await this.#files.remove(this.#path(name));
      }
    }
  }

  /** Counts the files by their names. */
  async inspect(): Promise<JournalFiles> {
    return countFiles(await this.#files.list(this.#directory));
  }

  async #newest(records: RecordName[], foundKeyless?: () => void): Promise<Entry | undefined> {
    for (const record of records) {
      const entry = await this.#readRecord(record);
      if (entry === 'keyless') {
        foundKeyless?.();
      } else if (entry !== undefined) {
        return entry;
      }
    }
    return undefined;
  }

  /**
   * @returns `undefined` for a file that is missing, truncated or altered, or that does not belong to this name;
   *   `keyless` if its key is lost. Such files are left in place and cost nothing else
   */
  async #readRecord({ name, id, generation }: RecordName): Promise<Entry | 'keyless' | undefined> {
    const path = this.#path(name);
    let file: string | undefined;
    try {
      file = await this.#files.read(path);
    } catch {
      // An older record must not count instead: its refresh token may be spent.
      return { kind: 'unreadable', generation };
    }
    const header = file === undefined ? undefined : readHeader(file);
    if (file === undefined || header?.grantId !== id || header.generation !== generation) {
      return undefined;
    }
    const key = this.#keys.get(header.keyId);
    if (key === undefined) {
      return (await this.#isNewerThanWindow(path)) ? { kind: 'stale', generation } : 'keyless';
    }
    const text = await decrypt(file, key);
    const decoded = text === undefined ? undefined : decodeGrant(text);
    return decoded === undefined || decoded.kind === 'damaged' || !agrees(decoded.grant, header) ? undefined : decoded;
  }

  /** Times in the future show nothing: the clock has been set back since. */
  async #isNewerThanWindow(path: string): Promise<boolean> {
    const writtenAtMs = await this.#files.writtenAtMs(path).catch(() => undefined);
    return (
      writtenAtMs !== undefined &&
      writtenAtMs >= this.#openedAtMs - startSlackMs &&
      writtenAtMs <= this.#clock.nowMs() + timeSlackMs
    );
  }

  async #encrypt(grant: Grant): Promise<string> {
    const [key] = [...this.#keys.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    if (key === undefined) {
      throw new Error('the journal has no key');
    }
    const header: Header = {
      version: formatVersion,
      keyId: key.id,
      grantId: grant.id,
      generation: grant.generation,
    };
    return encrypt(encodeGrant(grant), header, key, this.#randomness);
  }

  /** Removes older records and the leftovers of crashes, but only once the newest record was read back. */
  async #removeOlder(grant: Grant): Promise<void> {
    const names = await this.#files.list(this.#directory);
    const records = recordsById(names).get(grant.id) ?? [];
    const newest = await this.#newest(records);
    if (newest?.kind !== 'grant' || newest.grant.generation < grant.generation) {
      return;
    }
    const older = records.filter(({ generation }) => generation < grant.generation).map(({ name }) => name);
    const leftovers = names.filter((name) => name.startsWith(`${grant.id}.`) && /\.reserved(\.again)?$/.test(name));
    for (const name of [...older, ...leftovers]) {
      await this.#files.remove(this.#path(name));
    }
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

/** A record that was copied to the name of another grant or generation is not believed. */
function agrees({ id, generation }: Grant, header: Header): boolean {
  return id === header.grantId && generation === header.generation;
}
