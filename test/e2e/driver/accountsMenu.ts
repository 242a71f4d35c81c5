import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';

const entriesLimitMs = 20_000;
/** How long the menu may take to close after a click. */
const closingMs = 1_000;
const iconSelector = '.activitybar .action-item[aria-label^="Accounts"]';

/** The Accounts menu in the activity bar. */
export class AccountsMenu {
  readonly #page: Page;
  readonly #icon: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#icon = page.locator(iconSelector);
    void page.addInitScript(rememberBadge, `${iconSelector} .badge`);
  }

  /** Opens the menu and returns its entries. */
  async open(): Promise<string[]> {
    await this.#icon.click();
    await this.#entries().first().waitFor();
    return this.#entries().allInnerTexts();
  }

  /** Closes the menu. */
  async close(): Promise<void> {
    await this.#page.keyboard.press('Escape');
    await this.#menus().first().waitFor({ state: 'detached' });
  }

  /** Returns the entries of the menu, and closes it again. */
  async entries(): Promise<string[]> {
    const entries = await this.open();
    await this.close();
    return entries;
  }

  /** Opens and closes the menu until its entries are as expected; an open one is not updated. @throws after 20 seconds */
  async waitUntil(isExpected: (entries: string[]) => boolean): Promise<void> {
    const endMs = performance.now() + entriesLimitMs;
    for (;;) {
      const entries = await this.entries();
      if (isExpected(entries)) {
        return;
      }
      assert.ok(performance.now() < endMs, entries.join());
    }
  }

  /** Opens the menu if necessary and clicks an entry, through submenus if `path` has more names: `('Ada …', 'Sign Out')`. */
  async click(...path: string[]): Promise<void> {
    if ((await this.#entries().count()) === 0) {
      await this.open();
    }
    for (const name of path.slice(0, -1)) {
      await this.#entry(name).click();
    }
    await this.#clickLast(this.#entry(path.at(-1) ?? ''));
  }

  /** Waits for the badge on the icon, and resolves to its text, such as `Sign in requested`. */
  async waitForBadge(): Promise<string> {
    await this.#badge().waitFor();
    const label = (await this.#icon.getAttribute('aria-label')) ?? '';
    return label.replace(/^Accounts( - )?/, '');
  }

  /** Waits until the icon has no badge. */
  async waitForNoBadge(): Promise<void> {
    await this.#badge().waitFor({ state: 'hidden' });
  }

  /** Whether the icon has a badge. */
  hasBadge(): Promise<boolean> {
    return this.#badge().isVisible();
  }

  /** Whether the icon has had a badge at any time since the window was loaded. */
  hasHadBadge(): Promise<boolean> {
    return this.#page.evaluate(() => document.documentElement.hasAttribute('data-had-badge'));
  }

  /** Clicks until the menu closes, because it ignores clicks for its first tenth of a second. */
  async #clickLast(entry: Locator): Promise<void> {
    await entry.click();
    while (await this.#staysOpen(entry)) {
      // It may close during this click.
      await entry.click({ timeout: closingMs }).catch(() => undefined);
    }
  }

  async #staysOpen(entry: Locator): Promise<boolean> {
    await this.#menus()
      .first()
      .waitFor({ state: 'detached', timeout: closingMs })
      .catch(() => undefined);
    return entry.isVisible();
  }

  #badge(): Locator {
    return this.#icon.locator('.badge');
  }

  #entry(name: string): Locator {
    return this.#entries().filter({ hasText: exactly(name) });
  }

  #menus(): Locator {
    return this.#page.locator('.monaco-menu');
  }

  #entries(): Locator {
    return this.#menus().locator('.action-menu-item > .action-label');
  }
}

/** Runs in the page before its own scripts: sets an attribute once the badge is visible. */
function rememberBadge(selector: string): void {
  const observer = new MutationObserver(() => {
    if (document.querySelector(selector)?.checkVisibility()) {
      document.documentElement.setAttribute('data-had-badge', '');
      observer.disconnect();
    }
  });
  observer.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['class', 'style'] });
}
