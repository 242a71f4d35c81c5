import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';

const storeLimitMs = 20_000;

/** The details page of an extension. */
export class Extensions {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Opens the page of an extension from the list of installed extensions, which has to be shown. */
  async open(name: string): Promise<void> {
    await this.#page.locator('.extensions-list .extension-list-item', { hasText: name }).click();
    await this.#page.locator('.extension-editor .name', { hasText: exactly(name) }).waitFor();
  }

  /** Disables the extension whose page is open. It keeps running until the window is reloaded. @throws after 20 seconds */
  async disable(): Promise<void> {
    await this.#action('Disable').click();
    await this.#action('Enable').waitFor();
    // The editor stores this with a delay; after an earlier reload the extension would still be enabled. Not by
    // `waitForFunction`, which takes the promise of an asynchronous function for true.
    const endMs = performance.now() + storeLimitMs;
    while (!(await this.#page.evaluate(isDisabledStored))) {
      assert.ok(performance.now() < endMs, 'the editor has stored that the extension is disabled');
    }
  }

  /** Uninstalls the extension whose page is open. */
  async uninstall(): Promise<void> {
    await this.#action('Uninstall').click();
    await this.#action('Uninstall').waitFor({ state: 'hidden' });
  }

  #action(name: string): Locator {
    return this.#page.locator('.extension-editor .extension-action:visible').filter({ hasText: exactly(name) });
  }
}

/** Runs in the page: whether the editor's storage in IndexedDB has this extension as disabled. */
async function isDisabledStored(): Promise<boolean> {
  const completed = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  for (const { name = '' } of await indexedDB.databases()) {
    const database = await completed(indexedDB.open(name));
    try {
      for (const store of database.objectStoreNames) {
        const value: unknown = await completed(
          database.transaction(store).objectStore(store).get('extensionsIdentifiers/disabled'),
        );
        if (typeof value === 'string' && value.includes('notion-mcp-auth')) {
          return true;
        }
      }
    } finally {
      database.close();
    }
  }
  return false;
}
