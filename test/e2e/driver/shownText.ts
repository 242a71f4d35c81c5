import type { Locator } from 'playwright-core';

/** The text as a person sees it, empty if it is not there; waits for nothing. */
export async function shownText(locator: Locator): Promise<string> {
  return (await locator.allInnerTexts()).join('\n');
}
