import type { Locator, Page } from 'playwright-core';
import { exactly } from './exactly.ts';
import { shownText } from './shownText.ts';

export interface DialogContent {
  message: string;
  detail: string;
  buttons: string[];
}

/** The modal dialog; there is one at a time, and nothing else can be used meanwhile. */
export class Dialog {
  readonly #box: Locator;

  constructor(page: Page) {
    this.#box = page.locator('.monaco-dialog-box');
  }

  /** Waits for a dialog whose message or detail has `text` in it. */
  async waitFor(text: string | RegExp): Promise<DialogContent> {
    const box = this.#box.filter({ hasText: text });
    await box.waitFor();
    return {
      message: await shownText(box.locator('.dialog-message-text')),
      detail: await shownText(box.locator('.dialog-message-detail')),
      buttons: await box.locator('.dialog-buttons .monaco-button').allInnerTexts(),
    };
  }

  /** Waits for a dialog, clicks a button of it by its name and waits until the dialog is gone. */
  async click(button: string): Promise<void> {
    const clickable = this.#box.locator('.dialog-buttons .monaco-button').filter({ hasText: exactly(button) });
    await clickable.waitFor();
    // The next dialog may follow at once: what is waited for is the end of this one.
    const box = await this.#box.elementHandle();
    await clickable.click();
    await box?.waitForElementState('hidden');
  }

  /** Whether a dialog is shown now. */
  isShown(): Promise<boolean> {
    return this.#box.isVisible();
  }
}
