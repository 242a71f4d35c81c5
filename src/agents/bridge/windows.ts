import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { editorAgent } from '../../gateway/contract.ts';
import type { Endpoint } from '../protocol.ts';
import { isEntryName, isLaterEntry, parseEntry } from '../windowEntry.ts';
import { type ConnectionParts, WindowConnection } from './windowConnection.ts';

/** Why no window carries what the agent sends, the least telling reason first. */
const reasons = ['noWindow', 'otherVersion', 'unknownAccount', 'notAllowed'] as const;

export type NoWindow = (typeof reasons)[number];

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

  /**
   * Finds a window that serves the account, the newest first; else one that would if the user allowed it, as that
   * window says so itself and asks.
   * @returns why there is none, the most telling reason of all windows
   */
  async find(): Promise<WindowConnection | NoWindow> {
    const found = new Set<NoWindow>(['noWindow']);
    let withoutConsent: WindowConnection | undefined;
    for (const name of await this.#entries()) {
      const text = await readFile(join(this.#directory, name), 'utf8').catch(() => '');
      const entry = parseEntry(text);
      if (entry === undefined) {
        found.add(isLaterEntry(text) ? 'otherVersion' : 'noWindow');
        continue;
      }
      const connection = new WindowConnection(entry, this.#endpoint, this.#parts);
      const status = await this.statusOf(connection);
      if (status === 'ready') {
        withoutConsent?.close();
        return connection;
      }
      if (status === 'noConsent' && withoutConsent === undefined) {
        withoutConsent = connection;
      } else {
        connection.close();
        found.add(this.#reasonOf(status));
      }
    }
    return withoutConsent ?? reasons.findLast((reason) => found.has(reason)) ?? 'noWindow';
  }

  /** @returns the status that a window tells; `gone` if it does not tell it in time */
  async statusOf(connection: WindowConnection): Promise<string> {
    const limit = new AbortController();
    const stopTimer = this.#parts.clock.after(statusLimitMs, () => limit.abort());
    const status = await connection.status(limit.signal).catch(() => 'gone');
    stopTimer();
    return status;
  }

  #reasonOf(status: string): NoWindow {
    switch (status) {
      case '':
      case 'gone':
      case 'noConsent':
        return 'noWindow';
      case 'unknownAccount':
        return 'unknownAccount';
      case 'notAllowed':
        // Windows of the first version say so to any other agent, as they know no consent.
        return this.#endpoint.agent === editorAgent ? 'notAllowed' : 'otherVersion';
      default:
        return 'otherVersion';
    }
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
