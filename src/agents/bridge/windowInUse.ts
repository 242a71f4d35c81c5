import type { WindowConnection } from './windowConnection.ts';
import type { NoWindow } from './windows.ts';

/** Finds a window that serves the account, or tells why there is none. Never rejects. */
export interface WindowFinder {
  find(): Promise<WindowConnection | NoWindow>;
}

/** The window that carries what the agent sends: the same one while that works. */
export class WindowInUse implements WindowFinder {
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
