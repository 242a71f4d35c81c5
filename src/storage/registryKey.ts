import { fromBase64, toBase64, toBase64Url } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';

/** What the registry of names does with one key of the journal. */
export interface RegistryKey {
  /** Stands for a name or an identity: its HMAC-SHA-256. */
  hash(text: string): Promise<string>;
  /** Encrypts `text`, which can only be decrypted as that of the same `owner` (AES-256-GCM). */
  encrypt(text: string, owner: string): Promise<string>;
  /** @returns `undefined` for what was altered, or encrypted for another owner or with another key */
  decrypt(encrypted: string, owner: string): Promise<string | undefined>;
}

/** @param bytes the key, of any length */
export async function registryKey(bytes: Uint8Array<ArrayBuffer>, randomness: Randomness): Promise<RegistryKey> {
  const macKey = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const mac = async (text: string) => new Uint8Array(await crypto.subtle.sign('HMAC', macKey, utf8(text)));
  // The key itself encrypts the journal's records.
  const ownKey = await crypto.subtle.importKey('raw', await mac('names'), 'AES-GCM', false, ['encrypt', 'decrypt']);
  const options = (iv: Uint8Array<ArrayBuffer>, owner: string) => ({
    name: 'AES-GCM',
    iv,
    additionalData: utf8(owner),
  });
  return {
    hash: async (text) => toBase64Url(await mac(text)),
    encrypt: async (text, owner) => {
      const nonce = randomness.bytes(12);
      const encrypted = await crypto.subtle.encrypt(options(nonce, owner), ownKey, utf8(text));
      return `${toBase64(nonce)}.${toBase64(new Uint8Array(encrypted))}`;
    },
    decrypt: async (encrypted, owner) => {
      const [nonce = '', body = ''] = encrypted.split('.', 2);
      try {
        const text = await crypto.subtle.decrypt(options(fromBase64(nonce), owner), ownKey, fromBase64(body));
        return new TextDecoder().decode(text);
      } catch {
        return undefined;
      }
    },
  };
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
