import { watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';

const limitMs = 20_000;

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
    const stop = AbortSignal.timeout(limitMs);
    for (;;) {
      const changed = nextChange(this.#logsFolder, stop);
      const text = await this.text();
      if (pattern.test(text)) {
        return text;
      }
      if (!(await changed)) {
        throw new Error(`the log of ${this.#extensionId} does not match ${pattern}:\n${text}`);
      }
    }
  }
}

/** Resolves to true at the next change in the folder, or to false at `stop`. */
function nextChange(folder: string, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const watcher = watch(folder, { recursive: true });
    const end = (changed: boolean) => (): void => {
      watcher.close();
      resolve(changed);
    };
    watcher.once('change', end(true));
    stop.addEventListener('abort', end(false), { once: true });
  });
}
