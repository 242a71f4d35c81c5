import { toBase64Url } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { decryptWith, encryptWith } from './encryption.ts';

/** What the registry of names does with one key of the journal. */
export interface RegistryKey {
  /** Stands for a name or an identity: its HMAC-SHA-256. */
  hash(text: string): Promise<string>;
  /** Encrypts `text`, which can only be decrypted as that of the same `owner`. */
  encrypt(text: string, owner: string): Promise<string>;
  /** @returns `undefined` for what was altered, or encrypted for another owner or with another key */
  decrypt(encrypted: string, owner: string): Promise<string | undefined>;
}

/** @param bytes the key, of any length */
export async function registryKey(bytes: Uint8Array<ArrayBuffer>, randomness: Randomness): Promise<RegistryKey> {
  const macKey = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const mac = async (text: string) =>
    new Uint8Array(await crypto.subtle.sign('HMAC', macKey, new TextEncoder().encode(text)));
  // The key itself encrypts the journal's records.
  const namesKey = await mac('names');
  return {
    hash: async (text) => toBase64Url(await mac(text)),
    encrypt: (text, owner) => encryptWith(namesKey, text, owner, randomness),
    decrypt: (encrypted, owner) => decryptWith(namesKey, encrypted, owner),
  };
}
