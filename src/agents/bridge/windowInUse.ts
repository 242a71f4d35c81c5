import type { WindowConnection } from './windowConnection.ts';
import type { NoWindow } from './windows.ts';

/** Finds a window that serves the account, or tells why there is none. Never rejects. */
export interface WindowFinder {
  find(): Promise<WindowConnection | NoWindow>;
  /** The status that a window tells now. */
  statusOf(window: WindowConnection): Promise<string>;
}

/** The window that carries what the agent sends: the same one while that works. */
export class WindowInUse {
  readonly #windows: WindowFinder;
  #window: WindowConnection | undefined;
  #finding: Promise<WindowConnection | NoWindow> | undefined;

  constructor(windows: WindowFinder) {
    this.#windows = windows;
  }

  async find(): Promise<WindowConnection | NoWindow> {
    if (this.#window !== undefined) {
      return this.#window;
    }
    this.#finding ??= this.#windows.find().then((found) => {
      this.#finding = undefined;
      this.#window = typeof found === 'object' ? found : undefined;
      return found;
    });
    return this.#finding;
  }

  /** Whether the account is served, as the window in use says now, or else another one; if not, why. */
  async status(): Promise<string> {
    const found = await this.find();
    if (typeof found === 'string') {
      return found;
    }
    const status = await this.#windows.statusOf(found);
    if (status === 'ready') {
      return status;
    }
    this.forget(found);
    // Another window may have taken its place.
    return status === 'gone' ? this.status() : status;
  }

  /** Looks for a window next time, as the one in use refuses. */
  release(): void {
    this.#window = undefined;
  }

  /** Uses another window next time. Requests may still be under way at this one, so its connections are left alone. */
  forget(window: WindowConnection): void {
    if (this.#window === window) {
      this.#window = undefined;
    }
  }

  close(): void {
    this.#window?.close();
  }
}
