import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';

/** The page that the editor has about each of its extensions. */
export class Extensions {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Chooses an extension by its name in the view of those that are installed, which has to be shown. */
  async open(name: string): Promise<void> {
    await this.#page.locator('.extensions-list .extension-list-item', { hasText: name }).click();
    await this.#page.locator('.extension-editor .name', { hasText: exactly(name) }).waitFor();
  }

  /** Disables the open extension; it runs until the window is reloaded. */
  async disable(): Promise<void> {
    await this.#action('Disable').click();
    await this.#action('Enable').waitFor();
  }

  /** Uninstalls the open extension. */
  async uninstall(): Promise<void> {
    await this.#action('Uninstall').click();
    await this.#action('Uninstall').waitFor({ state: 'hidden' });
  }

  #action(name: string): Locator {
    return this.#page.locator('.extension-editor .extension-action:visible').filter({ hasText: exactly(name) });
  }
}
