import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** The folder in which an editor keeps the journal of the extension. */
export function journalFolder({ directory }: { directory: string }): string {
  return join(directory, 'data/User/globalStorage/seedling.notion-mcp-auth/journal');
}

/**
 * Deletes all secrets that extensions stored, as a user does who deletes the site's data in the browser. The journal
 * becomes an hour old, because a window takes what was written since it was opened for another window's.
 */
export async function forgetSecrets(page: Page, editor: { directory: string }): Promise<void> {
  await page.evaluate(() => localStorage.removeItem('secrets.provider'));
  const folder = journalFolder(editor);
  const anHourAgo = new Date(Date.now() - 3_600_000);
  await Promise.all((await readdir(folder)).map((name) => utimes(join(folder, name), anHourAgo, anHourAgo)));
}

/** Lets the copies of sign-ins in the secret store be unreadable after the next reload of the page. */
export async function damageStoredGrants(page: Page): Promise<void> {
  // The page keeps the secrets encrypted, so they are changed after it has decrypted them.
  await page.addInitScript(() => {
    const decrypt = SubtleCrypto.prototype.decrypt;
    SubtleCrypto.prototype.decrypt = async function (...args) {
      const secrets: Record<string, string> = JSON.parse(new TextDecoder().decode(await decrypt.apply(this, args)));
      const damaged = Object.entries(secrets).map(([key, value]) => [key, key.includes('grant.') ? 'damaged' : value]);
      return new TextEncoder().encode(JSON.stringify(Object.fromEntries(damaged))).buffer;
    };
  });
}
