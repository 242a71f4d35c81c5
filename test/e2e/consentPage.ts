import type { Page } from 'playwright-core';

/** Chooses who and what on the consent page, and allows it. */
export async function allow(tab: Page, { user, workspace }: { user: string; workspace: string }): Promise<void> {
  await tab.getByLabel(user, { exact: true }).check();
  await tab.getByLabel(workspace, { exact: true }).check();
  await tab.getByRole('button', { name: 'Allow' }).click();
}

/** Refuses on the consent page. */
export async function deny(tab: Page): Promise<void> {
  await tab.getByRole('button', { name: 'Deny' }).click();
}
