import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';

export interface Notification {
  severity: 'info' | 'warning' | 'error';
  message: string;
  buttons: string[];
}

/** Several tries, because a toast moves when another one appears or disappears, possibly during the click. */
const maxTries = 5;
const tryLimitMs = 3_000;

/**
 * The notifications at the lower right. The editor hides them after ten seconds, except errors and hovered ones, but
 * keeps them in the list behind the bell. While that is open, it has all of them.
 */
export class Notifications {
  readonly #page: Page;
  readonly #toasts: Locator;
  readonly #bell: Locator;
  readonly #center: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#toasts = page.locator('.notification-toast, .notifications-center.visible .notification-list-item');
    this.#bell = page.locator('[id="status.notifications"] a');
    this.#center = page.locator('.notifications-center.visible');
  }

  /** Waits for a notification that contains `text`. */
  async waitFor(text: string | RegExp): Promise<Notification> {
    const toast = this.#with(text);
    for (;;) {
      await toast.waitFor();
      const [shown] = await toast.evaluateAll(contentsOf);
      if (shown !== undefined) {
        return shown;
      }
    }
  }

  /** Waits until no notification that contains `text` is shown. */
  async waitForNone(text: string | RegExp): Promise<void> {
    await this.#with(text).waitFor({ state: 'hidden' });
  }

  /** The notifications that are currently shown. */
  list(): Promise<Notification[]> {
    return this.#toasts.evaluateAll(contentsOf);
  }

  /** Opens the list of all notifications that were not closed. */
  async openAll(): Promise<void> {
    await this.#bell.click();
    await this.#center.waitFor();
  }

  /** Closes the list of all notifications, unless the editor has: it does once the list is empty. */
  async closeAll(): Promise<void> {
    if (await this.#center.isVisible()) {
      await this.#bell.click();
      await this.#center.waitFor({ state: 'hidden' });
    }
  }

  /** All notifications that were not closed, also those that the editor has hidden meanwhile, or hides at this. */
  async listAll(): Promise<Notification[]> {
    await this.openAll();
    const all = await this.list();
    await this.closeAll();
    return all;
  }

  /** Waits for a notification that contains `text`, and clicks one of its buttons or a link in its message. */
  async click(text: string | RegExp, name: string): Promise<void> {
    const toast = await this.#hover(text);
    await toast
      .locator('.monaco-button, .notification-list-item-message a')
      .filter({ hasText: exactly(name) })
      .click();
  }

  /** Closes a notification that contains `text` without choosing a button. It may also disappear by itself. */
  async dismiss(text: string | RegExp): Promise<void> {
    const toast = this.#with(text);
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#hover(text, tryLimitMs);
        await toast.locator('.codicon-notifications-clear').click({ timeout: tryLimitMs });
        return;
      } catch (error) {
        if (!(await toast.isVisible())) {
          return;
        }
        if (tries === maxTries) {
          throw error;
        }
      }
    }
  }

  /** Waits for a notification that contains `text`, closes it, and resolves to its content. */
  async take(text: string | RegExp): Promise<Notification> {
    const shown = await this.waitFor(text);
    await this.dismiss(text);
    return shown;
  }

  /** Waits 0.8 s, because the editor shows at most three notifications in that time. Its clock is the only indicator. */
  async waitForFreeSlot(): Promise<void> {
    const startMs = await this.#page.evaluate(() => performance.now());
    await this.#page.waitForFunction((start) => performance.now() - start > 800, startMs);
  }

  /** Brings the tab to the front first, because a tab in the background renders only once a second. */
  async #hover(text: string | RegExp, timeout?: number): Promise<Locator> {
    const toast = this.#with(text);
    await this.#page.bringToFront();
    await toast.hover({ ...(timeout !== undefined && { timeout }) });
    return toast;
  }

  #with(text: string | RegExp): Locator {
    return this.#toasts.filter({ hasText: text }).first();
  }
}

/** Runs in the page, in one step, as a notification may disappear at any time. */
function contentsOf(toasts: Element[]): Notification[] {
  const textsIn = (toast: Element, selector: string) =>
    [...toast.querySelectorAll<HTMLElement>(selector)].map(({ innerText }) => innerText);
  return toasts.map((toast) => {
    const icon = toast.querySelector('.notification-list-item-icon')?.className ?? '';
    const severity = /codicon-(error|warning)\b/.exec(icon)?.[1];
    return {
      severity: severity === 'error' || severity === 'warning' ? severity : 'info',
      message: textsIn(toast, '.notification-list-item-message').join('\n'),
      buttons: textsIn(toast, '.notification-list-item-buttons-container .monaco-button'),
    };
  });
}
