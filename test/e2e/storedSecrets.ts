import assert from 'node:assert/strict';
import { readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { systemErrorCode } from '../../src/core/errorInfo.ts';
import type { Consumer } from './consumer.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { processEnd } from './driver/processEnd.ts';

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
  for (const name of await readdir(folder)) {
    await utimes(join(folder, name), anHourAgo, anHourAgo).catch((error: unknown) => {
      // A running window renames and deletes files that are not records.
      assert.equal(systemErrorCode(error), 'ENOENT');
    });
  }
}

/** Reloads the only window of an editor; its copies of sign-ins in the secret store are unreadable from then on. */
export async function damageStoredGrants(parts: {
  window: EditorWindow;
  consumer: Consumer;
  editor: { directory: string };
}): Promise<void> {
  const { window, consumer, editor } = parts;
  const { page } = window;
  // The page keeps the secrets encrypted, so they are changed after it has decrypted them.
  await page.addInitScript(() => {
    const decrypt = SubtleCrypto.prototype.decrypt;
    SubtleCrypto.prototype.decrypt = async function (...args) {
      const secrets: Record<string, string> = JSON.parse(new TextDecoder().decode(await decrypt.apply(this, args)));
      const damaged = Object.entries(secrets).map(([key, value]) => [key, key.includes('grant.') ? 'damaged' : value]);
      return new TextEncoder().encode(JSON.stringify(Object.fromEntries(damaged))).buffer;
    };
  });
  const address = page.url();
  await page.goto('about:blank');
  // A running window writes into the journal whenever it likes, and restores there what it has in memory.
  await processEnd(consumer.pid);
  await rm(journalFolder(editor), { recursive: true });
  await window.open(address);
  await consumer.waitForRestart();
}
