import type { Page } from 'playwright-core';

/** Chooses the user and the workspace on the consent page, and allows access. */
export async function allow(tab: Page, { user, workspace }: { user: string; workspace: string }): Promise<void> {
  await tab.getByLabel(user, { exact: true }).check();
  await tab.getByLabel(workspace, { exact: true }).check();
  await tab.getByRole('button', { name: 'Allow' }).click();
}

/** Denies access on the consent page. */
export async function deny(tab: Page): Promise<void> {
  await tab.getByRole('button', { name: 'Deny' }).click();
}
