import { toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { decodeGrant, encodeGrant, formatVersion } from '../grants/codec.ts';
import type { Grant } from '../grants/grant.ts';
import type { Files } from '../platform/contract.ts';
import { decrypt, encrypt, type Header, hashOf, type JournalKey, readHeader } from './encryption.ts';
import { countFiles, type JournalFiles, type RecordName, recordsById } from './journalFiles.ts';

/** What the journal holds of one grant. */
export type Entry =
  | { kind: 'grant'; grant: Grant }
  /** Written by a newer version of this extension. */
  | { kind: 'newer'; grant: Grant }
  /** There is a record, but this window lacks its key: others know more than we do. */
  | { kind: 'locked'; header: Header };

/** A place on the disk that was had before the refresh token is spent. */
export interface Reserved {
  /** Puts the record there and gives the file its name; from then on everybody sees it. */
  commit(grant: Grant, replaced: Grant | undefined): Promise<void>;
  /** Keeps an answer that may no longer be the truth, to be tried once before the account is given up. */
  keepAside(grant: Grant, replaced: Grant | undefined): Promise<void>;
  discard(): Promise<void>;
}

/** More than a longer token, scope list and header can add to a record. */
const spareBytes = 8_192;

/**
 * The truth about grants: the newest record of each, encrypted, in files that are written once and never changed. The
 * highest generation that can be read counts. See schema.md.
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

  /** Keys by which records can be read; the first by id is the one that we write with. */
  learnKeys(keys: Iterable<JournalKey>): void {
    for (const key of keys) {
      this.#keys.set(key.id, key);
    }
  }

  /** @throws what the disk says when there is no place to write */
  prepare(): Promise<void> {
    return this.#files.makeDirectory(this.#directory);
  }

  watch(changed: () => void): { close(): void } {
    return this.#files.watch(this.#directory, changed);
  }

  /** Every grant that the journal knows, and those that were signed out. */
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

  /** What the journal holds of one grant. */
  async readOne(grantId: string): Promise<Entry | 'gone' | undefined> {
    const names = await this.#files.list(this.#directory);
    return names.includes(`${grantId}.gone`) ? 'gone' : this.#newest(recordsById(names).get(grantId) ?? []);
  }

  /** The newest record of a grant, signed out or not. */
  async lastOf(grantId: string): Promise<Entry | undefined> {
    return this.#newest(recordsById(await this.#files.list(this.#directory)).get(grantId) ?? []);
  }

  /** Answers that were kept aside for this grant, the newest first. */
  async keptAside(grantId: string): Promise<Grant[]> {
    const names = (await this.#files.list(this.#directory)).filter(
      (name) => name.startsWith(`${grantId}.`) && name.endsWith('.alternate'),
    );
    const grants: Grant[] = [];
    for (const name of names) {
      const entry = await this.#open(name);
      if (entry?.kind === 'grant') {
        grants.push(entry.grant);
      }
    }
    return grants.sort((a, b) => b.tokens.obtainedAtMs - a.tokens.obtainedAtMs);
  }

  /** Takes the room that a record of about this size needs. @throws when the disk is full or read-only */
  async reserve(like: Grant): Promise<Reserved> {
    const random = toHex(this.#randomness.bytes(8));
    const path = this.#path(`${like.id}.${random}.reserved`);
    await this.#files.create(path, ' '.repeat(encodeGrant(like).length * 2 + spareBytes));
    const write = async (grant: Grant, replaced: Grant | undefined, ending: string) => {
      const name = this.#path(`${grant.id}.${grant.generation}.${random}${ending}`);
      const encrypted = await this.#encrypt(grant, replaced);
      try {
        await this.#files.overwrite(path, encrypted);
        await this.#files.rename(path, name);
      } catch {
        // Another window may have cleared the place away, or it went bad: what it was kept for must not be lost.
        await this.#files.create(`${path}.again`, encrypted);
        await this.#files.rename(`${path}.again`, name);
      }
    };
    return {
      commit: async (grant, replaced) => {
        await write(grant, replaced, '');
        await this.#removeOlder(grant);
      },
      keepAside: (grant, replaced) => write(grant, replaced, '.alternate'),
      discard: () => this.#files.remove(path),
    };
  }

  /** Writes a record. */
  async write(grant: Grant, replaced: Grant | undefined): Promise<void> {
    const reserved = await this.reserve(grant);
    await reserved.commit(grant, replaced);
  }

  /** Says for ever that the grant was signed out. Nothing secret is in it. */
  async writeTombstone(grantId: string): Promise<void> {
    await this.#files.create(this.#path(`${grantId}.gone`), '');
  }

  async hasTombstone(grantId: string): Promise<boolean> {
    return (await this.#files.read(this.#path(`${grantId}.gone`))) !== undefined;
  }

  /**
   * Leaves a mark for the next start, to tell whether what was stored beside it survived.
   * @returns when an earlier start left it (wall clock, ms), or `undefined` when there was none
   */
  async mark(nowMs: number): Promise<number | undefined> {
    return (await this.#files.create(this.#path('mark'), String(nowMs)))
      ? undefined
      : Number(await this.#files.read(this.#path('mark')));
  }

  /** An id of this journal, made by the first window that comes here; `undefined` while it is being made. */
  async machineId(): Promise<string | undefined> {
    const path = this.#path('machineId');
    await this.#files.create(path, toHex(this.#randomness.bytes(8)));
    const machineId = await this.#files.read(path);
    // Whoever made it may not have written it yet.
    return machineId?.length === 16 ? machineId : undefined;
  }

  /** Removes every record of a grant, but not its tombstone. */
  async forget(grantId: string): Promise<void> {
    for (const name of await this.#files.list(this.#directory)) {
      if (name.startsWith(`${grantId}.`) && !name.endsWith('.gone') && !name.endsWith('.lock')) {
        await this.#files.remove(this.#path(name));
      }
    }
  }

  /** Counts files by their names. */
  async inspect(): Promise<JournalFiles> {
    return countFiles(await this.#files.list(this.#directory));
  }

  async #newest(records: RecordName[]): Promise<Entry | undefined> {
    for (const { name } of records) {
      const entry = await this.#open(name);
      if (entry !== undefined) {
        return entry;
      }
    }
    return undefined;
  }

  /** `undefined` for a file that vanished, was truncated or altered; it stays where it is. */
  async #open(name: string): Promise<Entry | undefined> {
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

  async #encrypt(grant: Grant, replaced: Grant | undefined): Promise<string> {
    const [key] = [...this.#keys.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    if (key === undefined) {
      throw new Error('the journal has no key');
    }
    const header: Header = {
      version: formatVersion,
      keyId: key.id,
      grantId: grant.id,
      generation: grant.generation,
      replaced: await hashOf(replaced?.tokens.refreshToken),
    };
    return encrypt(encodeGrant(grant), header, key, this.#randomness);
  }

  /** Once the newest was read back, what is older or was left by a crash is of no use to anybody. */
  async #removeOlder(grant: Grant): Promise<void> {
    const names = await this.#files.list(this.#directory);
    const records = recordsById(names).get(grant.id) ?? [];
    const newest = await this.#newest(records);
    if (newest?.kind !== 'grant' || newest.grant.generation < grant.generation) {
      return;
    }
    const older = records.filter(({ generation }) => generation < grant.generation).map(({ name }) => name);
    const left = names.filter(
      (name) => name.startsWith(`${grant.id}.`) && /\.(reserved|reserved\.again|alternate)$/.test(name),
    );
    for (const name of [...older, ...left]) {
      await this.#files.remove(this.#path(name));
    }
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}
