import type { Account } from '../accounts/registry.ts';
import type { Clock } from '../core/clock.ts';

export interface ServerUrlNoticeParts {
  accounts: { list(): Account[] };
  clock: Clock;
  /** Whether this window has the focus: of several windows, only that one shows the notice. */
  isFocused: () => boolean;
  /** Shows what happens to the accounts with these labels. */
  show: (labels: string[]) => void;
}

/** The setting may change with every letter that the user types, so the notice waits until it is stable. */
const quietMs = 2_000;

/** Tells the user which accounts become dormant through a changed server URL, once the setting is stable. */
export class ServerUrlNotice {
  readonly #parts: ServerUrlNoticeParts;
  /** The accounts that were dormant when the setting was last stable. */
  #dormantIds: ReadonlySet<string>;
  #cancelTimer: (() => void) | undefined;

  constructor(parts: ServerUrlNoticeParts) {
    this.#parts = parts;
    this.#dormantIds = new Set(this.#dormantAccounts().map(({ grant }) => grant.id));
  }

  changed(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#parts.clock.after(quietMs, () => this.#notify());
  }

  dispose(): void {
    this.#cancelTimer?.();
  }

  #notify(): void {
    const { isFocused, show } = this.#parts;
    const dormant = this.#dormantAccounts();
    const labels = dormant.filter(({ grant }) => !this.#dormantIds.has(grant.id)).map(({ grant }) => grant.label);
    this.#dormantIds = new Set(dormant.map(({ grant }) => grant.id));
    if (labels.length > 0 && isFocused()) {
      show(labels);
    }
  }

  #dormantAccounts(): Account[] {
    return this.#parts.accounts.list().filter(({ state }) => state === 'dormant');
  }
}
