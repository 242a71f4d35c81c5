import { fromBase64, toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import type { Files } from '../platform/contract.ts';
import type { JournalKey } from '../storage/encryption.ts';
import { isAgentId } from './agentNames.ts';

/** What is stored about one agent and one account. */
export interface ConsentRecord {
  agent: string;
  /** `unreadable` if there is a file that does not say it. */
  decision?: Decision | 'unreadable';
  usedAtMs?: number;
  /** Whether the user is to be asked. */
  isAsked: boolean;
}

export type Decision = 'allowed' | 'denied';

export interface ConsentFilesParts {
  files: Files;
  /** The journal's directory. */
  directory: string;
  /** The keys of the journal. */
  keys: () => readonly JournalKey[];
  /** A keyed hash in hexadecimal, see `keyedHash`. */
  hash: (key: Uint8Array, text: string) => string;
  randomness: Randomness;
}

type FileKind = 'consent' | 'used' | 'asked';

/** Without a key nothing is named in clear either. */
const keyWithoutJournal = { id: '', bytes: new TextEncoder().encode('consent') };

const fileName = /^([0-9a-f]{32})\.([a-z0-9-]{1,32})\.(consent|used|asked)$/;

/**
 * The files that say what agents may do: up to three for each account and agent, named by a hash of the account's
 * handle under the journal's key, and by the agent. Each is replaced as a whole, so windows that write at the same time
 * lose nothing of each other's. See storage/schema.md.
 */
export class ConsentFiles {
  readonly #parts: ConsentFilesParts;

  /** By the keys and the handle. */
  readonly #hashes = new Map<string, [string, ...string[]]>();

  constructor(parts: ConsentFilesParts) {
    this.#parts = parts;
  }

  /** Reads everything, by the hash of the account's handle. @throws the file system's error if it cannot be listed */
  async read(): Promise<Map<string, ConsentRecord[]>> {
    const { files, directory } = this.#parts;
    const all = new Map<string, ConsentRecord[]>();
    for (const name of await files.list(directory)) {
      const [, hash, agent, kind] = fileName.exec(name) ?? [];
      if (hash === undefined || agent === undefined) {
        continue;
      }
      const records = all.get(hash) ?? [];
      const record = records.find((each) => each.agent === agent) ?? { agent, isAsked: false };
      all.set(hash, records.includes(record) ? records : [...records, record]);
      // Of another user, or just removed by another window.
      const text = await files.read(`${directory}/${name}`).catch(() => '');
      if (kind === 'asked') {
        record.isAsked = true;
      } else if (kind === 'consent') {
        record.decision = text === 'allowed' || text === 'denied' ? text : 'unreadable';
      } else if (/^\d{1,15}$/.test(text ?? '')) {
        record.usedAtMs = Number(text);
      }
    }
    return all;
  }

  /** The hashes of a handle under each key. The first one names new files. */
  hashesOf(handle: string): [string, ...string[]] {
    const keys = this.#parts.keys();
    const place = [...keys.map(({ id }) => id), handle].join(' ');
    const hashes = this.#hashes.get(place) ?? this.#hash(keys, handle);
    this.#hashes.set(place, hashes);
    return hashes;
  }

  #hash(keys: readonly JournalKey[], handle: string): [string, ...string[]] {
    const all = keys.map(({ id, key }) => ({ id, bytes: fromBase64(key.reveal()) }));
    const hashes = (all.length === 0 ? [keyWithoutJournal] : all)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ bytes }) => this.#parts.hash(bytes, `handle ${handle}`).slice(0, 32));
    return hashes as [string, ...string[]];
  }

  /** Writes a file, and removes those that other keys name for the same. @throws the file system's error */
  async write(handle: string, agent: string, kind: FileKind, text: string): Promise<void> {
    const { files, directory, randomness } = this.#parts;
    const [path, ...others] = this.#paths(handle, agent, kind);
    await files.makePrivateDirectory(directory);
    const temporary = `${path}.${toHex(randomness.bytes(8))}.new`;
    try {
      await files.create(temporary, text);
      await files.rename(temporary, path);
    } catch (error) {
      await files.remove(temporary).catch(() => undefined);
      throw error;
    }
    for (const other of others) {
      await files.remove(other);
    }
  }

  /** Removes files of an account and an agent. @throws the file system's error */
  async remove(handle: string, agent: string, kinds: readonly FileKind[]): Promise<void> {
    for (const path of kinds.flatMap((kind) => this.#paths(handle, agent, kind))) {
      await this.#parts.files.remove(path);
    }
  }

  /** Removes the file that asks the user. @returns whether this window did it, of several that try */
  async takeQuestion(handle: string, agent: string): Promise<boolean> {
    const { files, randomness } = this.#parts;
    for (const path of this.#paths(handle, agent, 'asked')) {
      const taken = `${path}.${toHex(randomness.bytes(8))}.new`;
      const isTaken = await files.rename(path, taken).then(
        () => true,
        () => false,
      );
      if (isTaken) {
        await files.remove(taken);
        return true;
      }
    }
    return false;
  }

  #paths(handle: string, agent: string, kind: FileKind): [string, ...string[]] {
    if (!isAgentId(agent)) {
      throw new Error('not the id of an agent');
    }
    return this.hashesOf(handle).map((hash) => `${this.#parts.directory}/${hash}.${agent}.${kind}`) as [
      string,
      ...string[],
    ];
  }
}
