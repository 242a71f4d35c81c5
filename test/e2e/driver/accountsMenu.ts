import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';

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

  /** Opens the menu and resolves to its entries. */
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

  /** The entries of the menu, which is closed again. */
  async entries(): Promise<string[]> {
    const entries = await this.open();
    await this.close();
    return entries;
  }

  /** Opens the menu if need be and clicks an entry; further names lead into the menus beside it: `('Ada … (Notion)', 'Sign Out')`. */
  async click(...path: string[]): Promise<void> {
    if ((await this.#entries().count()) === 0) {
      await this.open();
    }
    for (const name of path.slice(0, -1)) {
      await this.#entry(name).click();
    }
    await this.#clickLast(this.#entry(path.at(-1) ?? ''));
  }

  /** Waits until the icon asks for attention; resolves to what it says, such as `Sign in requested`. */
  async waitForBadge(): Promise<string> {
    await this.#badge().waitFor();
    const label = (await this.#icon.getAttribute('aria-label')) ?? '';
    return label.replace(/^Accounts( - )?/, '');
  }

  /** Waits until the icon asks for nothing. */
  async waitForNoBadge(): Promise<void> {
    await this.#badge().waitFor({ state: 'hidden' });
  }

  /** Whether the icon asks for attention now. */
  hasBadge(): Promise<boolean> {
    return this.#badge().isVisible();
  }

  /** Whether the icon asked for attention at any time since the window was loaded. */
  hasHadBadge(): Promise<boolean> {
    return this.#page.evaluate(() => document.documentElement.hasAttribute('data-had-badge'));
  }

  /** A menu ignores the mouse for its first tenth of a second, and nothing tells when that is over. */
  async #clickLast(entry: Locator): Promise<void> {
    do {
      await entry.click();
      await this.#menus()
        .first()
        .waitFor({ state: 'detached', timeout: 1_000 })
        .catch(() => undefined);
    } while (await entry.isVisible());
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

/** Runs in the page, from before its first line: leaves a mark once the badge is seen. */
function rememberBadge(badge: string): void {
  const observer = new MutationObserver(() => {
    if (document.querySelector(badge)?.checkVisibility()) {
      document.documentElement.setAttribute('data-had-badge', '');
      observer.disconnect();
    }
  });
  observer.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['class', 'style'] });
}
