import { Secret } from '../core/secret.ts';
import { type Decoded, decodeGrant, encodeGrant } from '../grants/codec.ts';
import type { Grant } from '../grants/grant.ts';
import type { JournalKey } from './encryption.ts';

/** The part of the editor's `SecretStorage` that is used here. */
export interface Secrets {
  get(key: string): PromiseLike<string | undefined>;
  store(key: string, value: string): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
  keys(): PromiseLike<string[]>;
  onDidChange(listener: () => void): { dispose(): void };
}

const grantPrefix = 'grant.';
const keyPrefix = 'journalKey.';
const damagedPrefix = 'damaged.';
const machinePrefix = 'machineId.';
const tombstonePrefix = 'gone.';
const namesName = 'names';

/**
 * The contents of SecretStorage: the journal's keys and a copy of each grant as of its sign-in. It cannot hold a token
 * that rotates: `store` resolves before the value is flushed, other windows read late, and on web hosts a page rewrites
 * all secrets.
 */
export class SecretStore {
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Fires for changes by any window, sometimes twice and sometimes without a change. */
  onDidChange(listener: () => void): { dispose(): void } {
    return this.#secrets.onDidChange(listener);
  }

  /** All keys: every window that found none created one, and each may have encrypted records. */
  async readKeys(): Promise<JournalKey[]> {
    const keys: JournalKey[] = [];
    for (const name of await this.#names(keyPrefix)) {
      const key = await this.#secrets.get(name);
      if (key !== undefined) {
        keys.push({ id: name.slice(keyPrefix.length), key: new Secret(key) });
      }
    }
    return keys;
  }

  async storeKey({ id, key }: JournalKey): Promise<void> {
    await this.#secrets.store(keyPrefix + id, key.reveal());
  }

  async read(): Promise<Map<string, Decoded>> {
    const grants = new Map<string, Decoded>();
    for (const name of await this.#names(grantPrefix)) {
      const text = await this.#secrets.get(name);
      if (text !== undefined) {
        const id = name.slice(grantPrefix.length);
        grants.set(id, decodeOf(id, text));
      }
    }
    return grants;
  }

  async readOne(grantId: string): Promise<Decoded | undefined> {
    const text = await this.#secrets.get(grantPrefix + grantId);
    return text === undefined ? undefined : decodeOf(grantId, text);
  }

  async store(grant: Grant): Promise<void> {
    await this.#secrets.store(grantPrefix + grant.id, encodeGrant(grant));
  }

  async delete(grantId: string): Promise<void> {
    await this.#secrets.delete(grantPrefix + grantId);
  }

  /** Moves a record that cannot be read to a key of its own, so that it does no harm but can still be repaired. */
  async quarantine(grantId: string): Promise<void> {
    const text = await this.#secrets.get(grantPrefix + grantId);
    if (text !== undefined) {
      await this.#secrets.store(damagedPrefix + grantId, text);
      await this.#secrets.delete(grantPrefix + grantId);
    }
  }

  /** The journal ids of all machines that have used these secrets. */
  readMachineIds(): Promise<string[]> {
    return this.#idsOf(machinePrefix);
  }

  async storeMachineId(machineId: string): Promise<void> {
    await this.#secrets.store(machinePrefix + machineId, '1');
  }

  /** The grants that were signed out while machines shared these secrets or while the journal could not be written. */
  async readTombstones(): Promise<Set<string>> {
    return new Set(await this.#idsOf(tombstonePrefix));
  }

  async storeTombstone(grantId: string): Promise<void> {
    await this.#secrets.store(tombstonePrefix + grantId, '1');
  }

  /** The registry of names, where there is no disk for it. */
  async readNames(): Promise<string | undefined> {
    return this.#secrets.get(namesName);
  }

  async writeNames(text: string): Promise<void> {
    await this.#secrets.store(namesName, text);
  }

  async #idsOf(prefix: string): Promise<string[]> {
    return (await this.#names(prefix)).map((name) => name.slice(prefix.length));
  }

  async #names(prefix: string): Promise<string[]> {
    return (await this.#secrets.keys()).filter((name) => name.startsWith(prefix));
  }
}

/** A record under the name of another grant counts as damaged. */
function decodeOf(grantId: string, text: string): Decoded {
  const decoded = decodeGrant(text);
  return decoded.kind !== 'damaged' && decoded.grant.id !== grantId ? { kind: 'damaged' } : decoded;
}
