/** Keeps the ids of the accounts that got a number, in the order of their numbers. They may be another window's too. */
export interface NumberedAccounts {
  get(): readonly string[];
  set(ids: readonly string[]): void;
}

/**
 * The numbers by which the log and a diagnostics report name accounts, so that a reader can match them without seeing a
 * name or an id. A number is never given twice, so it also holds after a sign-out and a reload.
 */
export class AccountNumbers {
  readonly #memory: NumberedAccounts;
  #ids: readonly string[] = [];

  constructor(memory: NumberedAccounts) {
    this.#memory = memory;
  }

  /** The number of the account with this id, from 1. An account gets the next one when it is first asked for. */
  of(id: string): number {
    if (!this.#ids.includes(id)) {
      // What this window has given stays, whatever other windows gave in the meantime.
      this.#ids = [...new Set([...this.#ids, ...this.#memory.get(), id])];
      this.#memory.set(this.#ids);
    }
    return this.#ids.indexOf(id) + 1;
  }
}

/** Numbers that last as long as the process. */
export function volatileAccountNumbers(): AccountNumbers {
  let ids: readonly string[] = [];
  return new AccountNumbers({
    get: () => ids,
    set: (changed) => {
      ids = changed;
    },
  });
}
