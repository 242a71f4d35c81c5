import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Consent, type ConsentParts } from '../../../src/agents/consent.ts';
import { keyedHash } from '../../../src/agents/keyedHash.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { type JournalKey, newKey } from '../../../src/storage/encryption.ts';
import { FakeClock } from '../fakeClock.ts';
import { files, temporaryFolder } from './listenerUnderTest.ts';

/** An account's name for agents. */
export const handle = 'notion-engineering-wiki';

/** An installation whose windows decide what agents may do. */
export class ConsentUnderTest {
  readonly directory: string;
  readonly clock = new FakeClock(Date.UTC(2026, 10, 26, 14, 2));
  readonly logged: string[] = [];
  readonly key = newKey(systemRandomness);
  isOffered = true;
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    this.directory = join(temporaryFolder(t), 'journal');
    mkdirSync(this.directory, { mode: 0o700 });
  }

  /** A window, which has read what there is. */
  async window(parts: Partial<ConsentParts> = {}): Promise<Consent> {
    const record = (line: string): void => void this.logged.push(line);
    const consent = new Consent({
      directory: this.directory,
      files,
      hash: keyedHash,
      keys: (): JournalKey[] => [this.key],
      isOffered: () => this.isOffered,
      clock: this.clock,
      randomness: systemRandomness,
      log: new Log({ error: record, warn: record, info: record, debug: record }),
      ...parts,
    });
    this.#t.after(() => consent.dispose());
    await consent.load();
    return consent;
  }

  /** The names of the files, without the hash of the handle. */
  fileNames(): string[] {
    return existsSync(this.directory)
      ? readdirSync(this.directory)
          .map((name) => name.slice(32))
          .sort()
      : [];
  }

  /** The path of the only file whose name ends so. */
  path(suffix: string): string {
    const name = readdirSync(this.directory).find((each) => each.endsWith(suffix)) ?? '';
    return join(this.directory, name);
  }
}

/** Resolves at the next change that a window tells of. */
export function nextChange(consent: Consent): Promise<void> {
  return new Promise((resolve) => {
    const listening = consent.onDidChange(() => {
      listening.dispose();
      resolve();
    });
  });
}
