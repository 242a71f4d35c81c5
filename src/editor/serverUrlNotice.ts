import type { Account } from '../accounts/registry.ts';
import type { Clock } from '../core/clock.ts';

export interface ServerUrlNoticeParts {
  accounts: { list(): Account[] };
  clock: Clock;
  /** Whether the person looks at this window: of several, only that one tells. */
  isFocused: () => boolean;
  /** Says what becomes of the accounts of these labels. */
  show: (labels: string[]) => void;
}

/** Somebody who writes an address changes the setting with each letter. */
const quietMs = 2_000;

/** Tells which accounts a changed server URL puts to sleep: once a change, when it has been left alone for a moment. */
export class ServerUrlNotice {
  readonly #parts: ServerUrlNoticeParts;
  /** The accounts that slept when the setting was last at rest. */
  #dormant: ReadonlySet<string>;
  #stop: (() => void) | undefined;

  constructor(parts: ServerUrlNoticeParts) {
    this.#parts = parts;
    this.#dormant = new Set(this.#sleeping().map(({ grant }) => grant.id));
  }

  changed(): void {
    this.#stop?.();
    this.#stop = this.#parts.clock.after(quietMs, () => this.#tell());
  }

  dispose(): void {
    this.#stop?.();
  }

  #tell(): void {
    const { isFocused, show } = this.#parts;
    const sleeping = this.#sleeping();
    const labels = sleeping.filter(({ grant }) => !this.#dormant.has(grant.id)).map(({ grant }) => grant.label);
    this.#dormant = new Set(sleeping.map(({ grant }) => grant.id));
    if (labels.length > 0 && isFocused()) {
      show(labels);
    }
  }

  #sleeping(): Account[] {
    return this.#parts.accounts.list().filter(({ state }) => state === 'dormant');
  }
}
