import { toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { decodeGrant, encodeGrant, formatVersion } from '../grants/codec.ts';
import type { Grant } from '../grants/grant.ts';
import type { Files } from '../platform/contract.ts';
import { decrypt, encrypt, type Header, type JournalKey, readHeader } from './encryption.ts';
import { countFiles, type JournalFiles, type RecordName, recordsById } from './journalFiles.ts';

/** What the journal holds for one grant. */
export type Entry =
  | { kind: 'grant'; grant: Grant }
  /** Written by a newer version of this extension. */
  | { kind: 'newer'; grant: Grant }
  /** There is a record, but this window lacks its key: another window may have newer credentials. */
  | { kind: 'locked'; header: Header };

/** A file that was reserved on the disk before the refresh token is spent. */
export interface Reservation {
  /** Writes the record into the file and gives it its final name; from then on all windows see it. */
  commit(grant: Grant): Promise<void>;
  discard(): Promise<void>;
}

/** More than a longer token, scope list and header can add to a record. */
const spareBytes = 8_192;

/**
 * The authoritative records of all grants, encrypted, in files that are written once and never changed. Of a grant's
 * records, the readable one with the highest generation counts. See schema.md.
 */
export class Journal {
  readonly #files: Files;
  readonly #directory: string;
  readonly #randomness: Randomness;
  readonly #keys = new Map<string, JournalKey>();

  constructor(files: Files, directory: string, randomness: Randomness) {
    this.#files = files;
    this.#directory = directory;
    this.#randomness = randomness;
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

  /** Creates the directory. @throws the file system's error if that is impossible */
  prepare(): Promise<void> {
    return this.#files.makeDirectory(this.#directory);
  }

  watch(changed: () => void): { close(): void } {
    return this.#files.watch(this.#directory, changed);
  }

  /** Every grant in the journal, and the ids of those that were signed out. */
  async read(): Promise<{ entries: Map<string, Entry>; gone: Set<string> }> {
    const names = await this.#files.list(this.#directory);
    const gone = new Set(names.filter((name) => name.endsWith('.gone')).map((name) => name.slice(0, -'.gone'.length)));
    const entries = new Map<string, Entry>();
    for (const [id, records] of recordsById(names)) {
      const entry = gone.has(id) ? undefined : await this.#newest(records);
      if (entry !== undefined) {
        entries.set(id, entry);
      }
    }
    return { entries, gone };
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

  /** Marks the grant as signed out for ever. The file is empty. */
  async writeTombstone(grantId: string): Promise<void> {
    await this.#files.create(this.#path(`${grantId}.gone`), '');
  }

  async hasTombstone(grantId: string): Promise<boolean> {
    return (await this.#files.read(this.#path(`${grantId}.gone`))) !== undefined;
  }

  /**
   * Leaves a mark, by which the next start can tell whether SecretStorage kept what was stored at the same time.
   * @returns when an earlier start left the mark (wall clock, ms), or `undefined` if there was none
   */
  async mark(nowMs: number): Promise<number | undefined> {
    return (await this.#files.create(this.#path('mark'), String(nowMs)))
      ? undefined
      : Number(await this.#files.read(this.#path('mark')));
  }

  /** The id of this journal, created by the first window that uses it; `undefined` while that window writes it. */
  async machineId(): Promise<string | undefined> {
    const path = this.#path('machineId');
    await this.#files.create(path, toHex(this.#randomness.bytes(8)));
    const machineId = await this.#files.read(path);
    // The window that created the file may not have written the id yet.
    return machineId?.length === 16 ? machineId : undefined;
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

  async #newest(records: RecordName[]): Promise<Entry | undefined> {
    for (const { name } of records) {
      const entry = await this.#readRecord(name);
      if (entry !== undefined) {
        return entry;
      }
    }
    return undefined;
  }

  /** @returns `undefined` for a file that is missing, truncated or altered; such a file is left in place */
  async #readRecord(name: string): Promise<Entry | undefined> {
    const file = await this.#files.read(this.#path(name));
    const header = file === undefined ? undefined : readHeader(file);
    if (file === undefined || header === undefined) {
      return undefined;
    }
    const key = this.#keys.get(header.keyId);
    if (key === undefined) {
      return { kind: 'locked', header };
    }
    const text = await decrypt(file, key);
    const decoded = text === undefined ? undefined : decodeGrant(text);
    return decoded === undefined || decoded.kind === 'damaged' ? undefined : decoded;
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
