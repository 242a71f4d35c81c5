import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { waitInFolder } from './waitInFolder.ts';

/** The log files that the editor writes for an extension's output channels. */
export class ExtensionLog {
  readonly #logsFolder: string;
  readonly #extensionId: string;

  constructor(logsFolder: string, extensionId: string) {
    this.#logsFolder = logsFolder;
    this.#extensionId = extensionId;
  }

  /** The whole text so far, from all windows, oldest window first. */
  async text(): Promise<string> {
    const names = await readdir(this.#logsFolder, { recursive: true });
    const own = names.filter((name) => name.includes(`${sep}${this.#extensionId}${sep}`) && name.endsWith('.log'));
    const texts = await Promise.all(own.sort().map((name) => readFile(join(this.#logsFolder, name), 'utf8')));
    return texts.join('');
  }

  /** Waits until the text matches, and resolves to it. @throws Error with the text after 20 seconds */
  async waitFor(pattern: RegExp): Promise<string> {
    const match = await waitInFolder(this.#logsFolder, async () => {
      const text = await this.text();
      return pattern.test(text) ? text : undefined;
    });
    if (match === undefined) {
      throw new Error(`the log of ${this.#extensionId} does not match ${pattern}:\n${await this.text()}`);
    }
    return match;
  }
}
