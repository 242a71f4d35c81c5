import { Secret } from '../core/secret.ts';
import { type Decoded, decodeGrant, encodeGrant } from '../grants/codec.ts';
import type { Grant } from '../grants/grant.ts';
import type { JournalKey } from './encryption.ts';

/** What this room needs of the editor's `SecretStorage`. */
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
const probeName = 'probe';

/**
 * What lies in SecretStorage: the journal's keys and a copy of each grant as of its sign-in. It cannot carry a token
 * that changes: a store resolves before it is flushed, other windows read late, and on web hosts a page rewrites all.
 */
export class SecretStore {
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Fires for changes in any window, sometimes twice and sometimes without a change. */
  onDidChange(listener: () => void): { dispose(): void } {
    return this.#secrets.onDidChange(listener);
  }

  /** Every window that found none made one; all of them are kept, for what was sealed with them. */
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
        grants.set(name.slice(grantPrefix.length), decodeGrant(text));
      }
    }
    return grants;
  }

  async readOne(grantId: string): Promise<Decoded | undefined> {
    const text = await this.#secrets.get(grantPrefix + grantId);
    return text === undefined ? undefined : decodeGrant(text);
  }

  async store(grant: Grant): Promise<void> {
    await this.#secrets.store(grantPrefix + grant.id, encodeGrant(grant));
  }

  async delete(grantId: string): Promise<void> {
    await this.#secrets.delete(grantPrefix + grantId);
  }

  /** Keeps a record that cannot be read where nothing trips over it, in case somebody can mend it. */
  async quarantine(grantId: string): Promise<void> {
    const text = await this.#secrets.get(grantPrefix + grantId);
    if (text !== undefined) {
      await this.#secrets.store(damagedPrefix + grantId, text);
      await this.#secrets.delete(grantPrefix + grantId);
    }
  }

  /** The journals of all machines that these secrets have been on. */
  readMachineIds(): Promise<string[]> {
    return this.#idsOf(machinePrefix);
  }

  async storeMachineId(machineId: string): Promise<void> {
    await this.#secrets.store(machinePrefix + machineId, '1');
  }

  /** The grants that were signed out while several machines shared these secrets. */
  async readTombstones(): Promise<Set<string>> {
    return new Set(await this.#idsOf(tombstonePrefix));
  }

  async storeTombstone(grantId: string): Promise<void> {
    await this.#secrets.store(tombstonePrefix + grantId, '1');
  }

  async hasProbe(): Promise<boolean> {
    return (await this.#secrets.get(probeName)) !== undefined;
  }

  async storeProbe(): Promise<void> {
    await this.#secrets.store(probeName, '1');
  }

  async #idsOf(prefix: string): Promise<string[]> {
    return (await this.#names(prefix)).map((name) => name.slice(prefix.length));
  }

  async #names(prefix: string): Promise<string[]> {
    return (await this.#secrets.keys()).filter((name) => name.startsWith(prefix));
  }
}
