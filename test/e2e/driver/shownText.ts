import type { Locator } from 'playwright-core';

/** Returns the visible text of an element, or '' if there is none. Does not wait. */
export async function shownText(locator: Locator): Promise<string> {
  return (await locator.allInnerTexts()).join('\n');
}
