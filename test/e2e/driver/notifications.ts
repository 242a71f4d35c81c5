import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';
import { shownText } from './shownText.ts';

export interface Notification {
  severity: 'info' | 'warning' | 'error';
  message: string;
  buttons: string[];
}

/** Several tries, because a toast moves when another one appears or disappears, possibly during the click. */
const maxTries = 5;
const tryLimitMs = 3_000;

/** The notifications at the lower right. The editor hides them after ten seconds, except errors and hovered ones. */
export class Notifications {
  readonly #page: Page;
  readonly #toasts: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#toasts = page.locator('.notification-toast');
  }

  /** Waits for a notification that contains `text`. */
  async waitFor(text: string | RegExp): Promise<Notification> {
    const toast = this.#with(text);
    await toast.waitFor();
    return content(toast);
  }

  /** Waits until no notification that contains `text` is shown. */
  async waitForNone(text: string | RegExp): Promise<void> {
    await this.#with(text).waitFor({ state: 'hidden' });
  }

  /** The notifications that are currently shown. */
  async list(): Promise<Notification[]> {
    return Promise.all((await this.#toasts.all()).map(content));
  }

  /** All notifications that were not closed, also those that the editor has hidden meanwhile, or hides at this. */
  async listAll(): Promise<Notification[]> {
    const bell = this.#page.locator('[id="status.notifications"] a');
    const center = this.#page.locator('.notifications-center.visible');
    await bell.click();
    await center.waitFor();
    const all = await Promise.all((await center.locator('.notification-list-item').all()).map(content));
    await bell.click();
    await center.waitFor({ state: 'hidden' });
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

async function content(toast: Locator): Promise<Notification> {
  const icon = (await toast.locator('.notification-list-item-icon').getAttribute('class')) ?? '';
  const severity = /codicon-(error|warning)\b/.exec(icon)?.[1];
  return {
    severity: severity === 'error' || severity === 'warning' ? severity : 'info',
    message: await shownText(toast.locator('.notification-list-item-message')),
    buttons: await toast.locator('.notification-list-item-buttons-container .monaco-button').allInnerTexts(),
  };
}
