import { createHash } from 'node:crypto';
import { isObject, parseJson } from '../../core/json.ts';
import type { Files } from '../../platform/contract.ts';

/** One account in one agent's configuration. */
export interface RecordedEntry {
  handle: string;
  /** Its name there; the handle, unless that was taken. */
  name: string;
  /** Whether it is registered with the agent's own editor, and not in the configuration. */
  isRegistered?: true;
}

/** What was done to an agent's configuration. */
export interface ConfigurationRecord {
  version: 1;
  agent: string;
  path: string;
  entries: readonly RecordedEntry[];
  /** The hash of the text as we left it; undefined once others have changed it. Then the original is out of date. */
  hash?: string | undefined;
  /** Whether there was a file before the first entry. */
  existed: boolean;
  /** The topmost folder that was made for the file. */
  madeFolder?: string | undefined;
}

/**
 * What was done to agents' configurations, in files of one folder: a record for each configuration, and beside it the
 * original as a backup. They outlive updates of the extension.
 */
export class ConfigurationRecords {
  readonly #folder: string;
  readonly #files: Files;

  constructor(folder: string, files: Files) {
    this.#folder = folder;
    this.#files = files;
  }

  /** All records, without those that cannot be read. */
  async list(): Promise<ConfigurationRecord[]> {
    const names = (await this.#files.list(this.#folder)).filter((name) => name.endsWith('.json'));
    const texts = await Promise.all(names.sort().map((name) => this.#files.read(`${this.#folder}/${name}`)));
    return texts.map((text) => parseJson(text ?? '')).filter(isRecord);
  }

  async find(path: string): Promise<ConfigurationRecord | undefined> {
    const record = parseJson((await this.#files.read(this.#pathOf(path))) ?? '');
    return isRecord(record) ? record : undefined;
  }

  /** Where the original of a configuration is kept. */
  backupPath(path: string): string {
    return `${this.#folder}/${nameOf(path)}.original`;
  }

  async original(path: string): Promise<string | undefined> {
    return this.#files.read(this.backupPath(path));
  }

  /** Keeps the original of a configuration, unless it is kept already. */
  async backUp(path: string, text: string): Promise<void> {
    await this.#files.makePrivateDirectory(this.#folder);
    await this.#replace(this.backupPath(path), text);
  }

  /** Writes a record; one without entries is removed together with the original. */
  async save(record: ConfigurationRecord): Promise<void> {
    const path = this.#pathOf(record.path);
    if (record.entries.length === 0) {
      await this.#files.remove(path);
      await this.#files.remove(this.backupPath(record.path));
      return;
    }
    await this.#files.makePrivateDirectory(this.#folder);
    await this.#replace(path, JSON.stringify(record, null, 2));
  }

  async #replace(path: string, text: string): Promise<void> {
    await this.#files.remove(`${path}.new`);
    await this.#files.create(`${path}.new`, text);
    await this.#files.rename(`${path}.new`, path);
  }

  #pathOf(path: string): string {
    return `${this.#folder}/${nameOf(path)}.json`;
  }
}

/** The hash of a configuration's text. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function nameOf(path: string): string {
  return hashOf(path).slice(0, 16);
}

function isRecord(value: unknown): value is ConfigurationRecord {
  return (
    isObject(value) &&
    value.version === 1 &&
    typeof value.agent === 'string' &&
    typeof value.path === 'string' &&
    Array.isArray(value.entries) &&
    value.entries.every(
      (entry) => isObject(entry) && typeof entry.handle === 'string' && typeof entry.name === 'string',
    )
  );
}
