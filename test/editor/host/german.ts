import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Prepares an editor's user data folder so that the editor runs in German: it finds a language pack that translates none
 * of its own texts, as npm has no real one. Extensions show their German texts.
 * @returns the arguments with which the editor, or its server, has to be started
 */
export async function prepareGerman(userData: string): Promise<string[]> {
  await mkdir(userData, { recursive: true });
  const vscode = join(userData, 'noTranslations.json');
  await writeFile(vscode, JSON.stringify({ contents: {} }));
  const extensions = [{ extensionIdentifier: { id: 'seedling-tests.german' }, version: '1.0.0' }];
  // The editor itself writes this file where a language pack is installed.
  const languagePacks = { de: { hash: 'none', extensions, translations: { vscode }, label: 'Deutsch' } };
  await writeFile(join(userData, 'languagepacks.json'), JSON.stringify(languagePacks));
  return ['--locale', 'de'];
}
