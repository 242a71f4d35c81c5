import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Secrets } from '../../src/grants/vault.ts';

/**
 * Stands in for the editor's SecretStorage between processes: one file, the last write wins, and a write resolves
 * before it is on the disk, so that a killed window loses it.
 */
export function secretsIn(path: string): Secrets {
  const read = async (): Promise<Record<string, string>> =>
    JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Record<string, string>;
  let writing = Promise.resolve();
  const change = async (act: (secrets: Record<string, string>) => void): Promise<void> => {
    writing = writing.then(async () => {
      const secrets = await read();
      act(secrets);
      const fresh = `${path}.${randomUUID()}`;
      await writeFile(fresh, JSON.stringify(secrets));
      await rename(fresh, path);
    });
  };
  return {
    get: async (key) => (await read())[key],
    keys: async () => Object.keys(await read()),
    store: (key, value) =>
      change((secrets) => {
        secrets[key] = value;
      }),
    delete: (key) =>
      change((secrets) => {
        delete secrets[key];
      }),
    onDidChange: () => ({ dispose: () => undefined }),
  };
}
