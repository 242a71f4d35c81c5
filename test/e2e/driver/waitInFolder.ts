import { once } from 'node:events';
import { watch } from 'node:fs';

const usualLimitMs = 20_000;

/**
 * Calls `find` at once and after each change in the folder, until it finds something.
 * @returns what it found, or undefined after the time limit
 */
export async function waitInFolder<T>(
  folder: string,
  find: () => Promise<T | undefined>,
  limitMs = usualLimitMs,
): Promise<T | undefined> {
  const signal = AbortSignal.timeout(limitMs);
  for (;;) {
    // A new watcher each time also watches the folders that have been created since.
    const watcher = watch(folder, { recursive: true });
    try {
      const changed = once(watcher, 'change', { signal }).then(
        () => true,
        () => false,
      );
      const found = await find();
      if (found !== undefined || !(await changed)) {
        return found;
      }
    } finally {
      watcher.close();
    }
  }
}
