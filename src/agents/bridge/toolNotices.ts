import type { WindowInUse } from './windowInUse.ts';

export interface ToolNoticesParts {
  window: WindowInUse;
  /** Calls `changed` whenever windows may have come, until it is stopped. */
  watch(changed: () => void): () => void;
  /** Calls `changed` whenever the user may have decided what an agent may do, until it is stopped. */
  watchConsent(changed: () => void): () => void;
  /** Tells the agent that its tools may be others. */
  announce(): Promise<void>;
}

/** Finds out when the tools that the agent was told of are others. */
export class ToolNotices {
  readonly #parts: ToolNoticesParts;
  /** Set while the agent was told less than a window that serves the account would tell. */
  #stopWatching: (() => void) | undefined;
  /** Set once the agent was told what the server says, which the user can take from it. */
  #stopWatchingConsent: (() => void) | undefined;

  constructor(parts: ToolNoticesParts) {
    this.#parts = parts;
  }

  /** Notes that the agent was told what the server says now. */
  toldAll(): void {
    this.#stopWatchingConsent ??= this.#parts.watchConsent(() => void this.#lookAtConsent());
  }

  /** Notes that the agent was told less, and waits for a window that serves the account. */
  toldLess(): void {
    this.#stopWatching ??= this.#parts.watch(() => void this.#lookForWindow());
  }

  close(): void {
    this.#stopWatching?.();
    this.#stopWatchingConsent?.();
  }

  async #lookForWindow(): Promise<void> {
    if ((await this.#parts.window.status()) === 'ready' && this.#stopWatching !== undefined) {
      this.#stopWatching();
      this.#stopWatching = undefined;
      await this.#parts.announce();
    }
  }

  async #lookAtConsent(): Promise<void> {
    const status = await this.#parts.window.status();
    if ((status === 'noConsent' || status === 'notAllowed') && this.#stopWatching === undefined) {
      this.toldLess();
      await this.#parts.announce();
    }
  }
}
