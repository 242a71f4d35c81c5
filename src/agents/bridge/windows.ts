import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint } from '../protocol.ts';
import { isEntryName, parseEntry } from '../windowEntry.ts';
import { type ConnectionParts, WindowConnection } from './windowConnection.ts';

/** Why no window serves the account, the most telling reason of all windows. */
export type NoWindow = 'noWindow' | 'unknownAccount' | 'notAllowed';

/** How long a window has to say whether it serves the account; one that is starting loads its accounts first. */
const statusLimitMs = 10_000;

/** The windows of an editor, by the entries in its directory. */
export class Windows {
  readonly #directory: string;
  readonly #endpoint: Endpoint;
  readonly #parts: ConnectionParts;

  constructor(directory: string, endpoint: Endpoint, parts: ConnectionParts) {
    this.#directory = directory;
    this.#endpoint = endpoint;
    this.#parts = parts;
  }

  /** Finds a window that serves the account, the newest first. @returns why there is none */
  async find(): Promise<WindowConnection | NoWindow> {
    let reason: NoWindow = 'noWindow';
    for (const name of await this.#entries()) {
      const entry = parseEntry(await readFile(join(this.#directory, name), 'utf8').catch(() => ''));
      if (entry === undefined) {
        continue;
      }
      const connection = new WindowConnection(entry, this.#endpoint, this.#parts);
      const status = await this.#statusOf(connection);
      if (status === 'ready') {
        return connection;
      }
      connection.close();
      if (status === 'notAllowed' || (status === 'unknownAccount' && reason === 'noWindow')) {
        reason = status;
      }
    }
    return reason;
  }

  /** @returns `gone` if the window does not tell it in time */
  async #statusOf(connection: WindowConnection): Promise<string> {
    const limit = new AbortController();
    const stopTimer = this.#parts.clock.after(statusLimitMs, () => limit.abort());
    const status = await connection.status(limit.signal).catch(() => 'gone');
    stopTimer();
    return status;
  }

  /** The names of the entries, newest first. */
  async #entries(): Promise<string[]> {
    const names = (await readdir(this.#directory).catch(() => [])).filter(isEntryName);
    const times = await Promise.all(
      names.map(async (name) => {
        const { mtimeMs } = await stat(join(this.#directory, name)).catch(() => ({ mtimeMs: 0 }));
        return { name, mtimeMs };
      }),
    );
    return times.sort((a, b) => b.mtimeMs - a.mtimeMs).map(({ name }) => name);
  }
}
