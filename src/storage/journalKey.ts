import type { Randomness } from '../core/random.ts';
import { newKey } from './encryption.ts';
import type { Journal } from './journal.ts';
import type { SecretStore } from './secretStore.ts';

/**
 * Creates the journal's key, if there is none yet. Windows that do so at the same moment keep both keys.
 * @throws the secret store's error
 */
export async function ensureKey(journal: Journal, secretStore: SecretStore, randomness: Randomness): Promise<void> {
  if (journal.keys.length === 0) {
    journal.addKeys(await secretStore.readKeys());
  }
  if (journal.keys.length === 0) {
    const key = newKey(randomness);
    await secretStore.storeKey(key);
    journal.addKeys([key]);
  }
}
