import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';
import { shownText } from './shownText.ts';

export interface DialogContent {
  message: string;
  detail: string;
  buttons: string[];
}

/** The modal dialog. There is at most one, and it blocks the rest of the window. */
export class Dialog {
  readonly #box: Locator;

  constructor(page: Page) {
    this.#box = page.locator('.monaco-dialog-box');
  }

  /** Waits for a dialog whose message or detail contains `text`. */
  async waitFor(text: string | RegExp): Promise<DialogContent> {
    const box = this.#box.filter({ hasText: text });
    await box.waitFor();
    return {
      message: await shownText(box.locator('.dialog-message-text')),
      detail: await shownText(box.locator('.dialog-message-detail')),
      buttons: await box.locator('.dialog-buttons .monaco-button').allInnerTexts(),
    };
  }

  /** Waits for a dialog, clicks one of its buttons by name, and waits until the dialog is closed. */
  async click(button: string): Promise<void> {
    const clickable = this.#box.locator('.dialog-buttons .monaco-button').filter({ hasText: exactly(button) });
    await clickable.waitFor();
    // Another dialog may open at once, so wait for this element and not for the absence of a dialog.
    const box = await this.#box.elementHandle();
    await clickable.click();
    await box?.waitForElementState('hidden');
  }

  /** Waits until no dialog is shown. */
  async waitForNone(): Promise<void> {
    await this.#box.waitFor({ state: 'hidden' });
  }

  /** Whether a dialog is shown. */
  isShown(): Promise<boolean> {
    return this.#box.isVisible();
  }
}
