import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';
import { shownText } from './shownText.ts';

export interface Notification {
  severity: 'info' | 'warning' | 'error';
  message: string;
  buttons: string[];
}

/** A toast moves when another comes or goes, and may do so just when it is clicked. */
const mostTries = 5;
const triesLimitMs = 3_000;

/** The notifications at the lower right. Without an error or a pointer on them the editor hides them after ten seconds. */
export class Notifications {
  readonly #page: Page;
  readonly #toasts: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#toasts = page.locator('.notification-toast');
  }

  /** Waits for a notification with `text` in it. */
  async waitFor(text: string | RegExp): Promise<Notification> {
    const toast = this.#with(text);
    await toast.waitFor();
    return content(toast);
  }

  /** Waits until no notification with `text` in it is shown. */
  async waitForNone(text: string | RegExp): Promise<void> {
    await this.#with(text).waitFor({ state: 'hidden' });
  }

  /** Those that are shown now. */
  async list(): Promise<Notification[]> {
    return Promise.all((await this.#toasts.all()).map(content));
  }

  /** Waits for a notification with `text` in it and clicks a button of it, or a link in its message. */
  async click(text: string | RegExp, name: string): Promise<void> {
    const toast = await this.#pointAt(text);
    await toast
      .locator('.monaco-button, .notification-list-item-message a')
      .filter({ hasText: exactly(name) })
      .click();
  }

  /** Closes a notification with `text` in it without an answer; one that goes by itself meanwhile is fine. */
  async dismiss(text: string | RegExp): Promise<void> {
    const toast = this.#with(text);
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#pointAt(text, triesLimitMs);
        await toast.locator('.codicon-notifications-clear').click({ timeout: triesLimitMs });
        return;
      } catch (error) {
        if (!(await toast.isVisible())) {
          return;
        }
        if (tries === mostTries) {
          throw error;
        }
      }
    }
  }

  /** The editor keeps a fourth notification within 0.8 s to itself, and only its clock tells when that is over. */
  async waitForRoom(): Promise<void> {
    const since = await this.#page.evaluate(() => performance.now());
    await this.#page.waitForFunction((start) => performance.now() - start > 800, since);
  }

  /** Behind another tab the editor draws once a second, and everything waits for it. */
  async #pointAt(text: string | RegExp, timeout?: number): Promise<Locator> {
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
