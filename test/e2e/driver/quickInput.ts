import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';
import { shownText } from './shownText.ts';

/** The quick pick or input box at the top of the window. */
export class QuickInput {
  readonly #page: Page;
  readonly #widget: Locator;
  readonly #input: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#widget = page.locator('.quick-input-widget');
    this.#input = this.#widget.locator('.quick-input-box input');
  }

  /** Waits until it is open, and resolves to its title, or '' if it has none. */
  async title(): Promise<string> {
    await this.#input.waitFor();
    return shownText(this.#widget.locator('.quick-input-title:visible'));
  }

  /** Waits until it is open, and resolves to the message under an input box or the placeholder of a quick pick. */
  async prompt(): Promise<string> {
    await this.#input.waitFor();
    const message = await shownText(this.#widget.locator('.quick-input-message:visible'));
    return message || ((await this.#input.getAttribute('placeholder')) ?? '');
  }

  /** Waits for entries, and resolves to the labels of those that are shown. */
  async items(): Promise<string[]> {
    const rows = this.#rows();
    await rows.first().waitFor();
    return rows.locator('.label-name').allInnerTexts();
  }

  /** Waits for entries, and resolves to the second lines of those that have one. */
  async details(): Promise<string[]> {
    const rows = this.#rows();
    await rows.first().waitFor();
    return rows.locator('.quick-input-list-label-meta').allInnerTexts();
  }

  /** Waits for the entry with exactly this label. */
  async waitFor(label: string, limitMs?: number): Promise<void> {
    await this.#row(label).waitFor(timeoutOf(limitMs));
  }

  /** Waits until no entry has exactly this label. */
  async waitForNone(label: string): Promise<void> {
    await this.#row(label).waitFor({ state: 'hidden' });
  }

  /** Whether it is open. */
  isShown(): Promise<boolean> {
    return this.#input.isVisible();
  }

  /** Waits for the entry with exactly this label, chooses it, and waits until the entry is gone. */
  async choose(label: string, limitMs?: number): Promise<void> {
    const row = this.#row(label);
    // A list that has just opened moves again when the pointer reaches it.
    await row.hover(timeoutOf(limitMs));
    await row.click(timeoutOf(limitMs));
    await row.waitFor({ state: 'hidden' });
  }

  /** Checks or unchecks an entry of a list in which several can be chosen. */
  async toggle(label: string): Promise<void> {
    const row = this.#row(label);
    // As in `choose`.
    await row.hover();
    await row.click();
  }

  /** Replaces the text of the input. */
  async type(text: string, limitMs?: number): Promise<void> {
    await this.#input.fill(text, timeoutOf(limitMs));
  }

  /** Waits until the entry with exactly this label has the focus, so that Enter chooses it. */
  async waitForFocus(label: string): Promise<void> {
    const name = this.#page.locator('.label-name').filter({ hasText: exactly(label) });
    await this.#widget.locator('.quick-input-list .monaco-list-row.focused').filter({ has: name }).waitFor();
  }

  /** Presses Enter. */
  async accept(): Promise<void> {
    await this.#input.press('Enter');
  }

  /** Presses Escape and waits until it is closed. */
  async cancel(): Promise<void> {
    await this.#input.press('Escape');
    await this.#input.waitFor({ state: 'hidden' });
  }

  #row(label: string): Locator {
    const name = this.#page.locator('.label-name').filter({ hasText: exactly(label) });
    return this.#rows().filter({ has: name }).first();
  }

  #rows(): Locator {
    return this.#widget.locator('.quick-input-list .monaco-list-row');
  }
}

function timeoutOf(limitMs: number | undefined): { timeout?: number } {
  return limitMs === undefined ? {} : { timeout: limitMs };
}
