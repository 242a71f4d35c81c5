import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import { notPrivateCode } from '../platform/contract.ts';
import type { Journal, JournalContents } from './journal.ts';

/**
 * Whether the journal can be used now, which can change while a window is open: its directory may be deleted, become
 * accessible to other users, or be on a disk that does not respond.
 */
export class JournalAvailability {
  readonly #journal: Journal;
  readonly #log: Log;
  #isExposed = false;
  #isUnreadable = false;

  constructor(journal: Journal, log: Log) {
    this.#journal = journal;
    this.#log = log;
  }

  /** Whether other users can change the journal's directory, which is then not used. */
  get isExposed(): boolean {
    return this.#isExposed;
  }

  /** Whether the last attempt to read the journal failed. */
  get isUnreadable(): boolean {
    return this.#isUnreadable;
  }

  /** @returns whether the journal can be used now */
  async prepare(): Promise<boolean> {
    try {
      await this.#journal.prepare();
      this.#isExposed = false;
      return true;
    } catch (error) {
      const code = systemErrorCode(error);
      // The secret store's copies are older than the journal's records, so that they are no replacement.
      this.#log.warn('The journal cannot be prepared now.', { code });
      this.#isExposed ||= code === notPrivateCode;
      return false;
    }
  }

  /** @returns `undefined` if it cannot be read: only the secret store's copies remain, and nothing is renewed */
  async read(): Promise<JournalContents | undefined> {
    try {
      const contents = await this.#journal.read();
      this.#isUnreadable = false;
      return contents;
    } catch (error) {
      if (!this.#isUnreadable) {
        this.#log.warn('The journal cannot be read; sign-ins will be renewed once it can be.', {
          code: systemErrorCode(error),
        });
      }
      this.#isUnreadable = true;
      return undefined;
    }
  }
}
