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
    // The editor stores it a little later, and a reload before that would find the extension enabled.
    await this.#page.waitForFunction(isDisabledStored);
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

/** Runs in the page. Whether the editor's storage, in the browser's database, holds a disabled extension. */
async function isDisabledStored(): Promise<boolean> {
  const ended = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  for (const { name = '' } of await indexedDB.databases()) {
    const database = await ended(indexedDB.open(name));
    try {
      for (const store of database.objectStoreNames) {
        const value: unknown = await ended(
          database.transaction(store).objectStore(store).get('extensionsIdentifiers/disabled'),
        );
        if (typeof value === 'string' && value !== '[]') {
          return true;
        }
      }
    } finally {
      database.close();
    }
  }
  return false;
}
