import { fromBase64, toBase64, toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { Secret } from '../core/secret.ts';

/** The key of a journal: 256 bits, with an id that reveals nothing about it. */
export interface JournalKey {
  id: string;
  key: Secret;
}

/** The first line of a journal file: in clear text, but authenticated with the rest. Its format must never change. */
export interface Header {
  version: number;
  keyId: string;
  grantId: string;
  generation: number;
}

export function newKey(randomness: Randomness): JournalKey {
  return { id: toHex(randomness.bytes(8)), key: new Secret(toBase64(randomness.bytes(32))) };
}

/** Encrypts and authenticates `text` together with its header. */
export async function encrypt(text: string, header: Header, key: JournalKey, randomness: Randomness): Promise<string> {
  const clear = JSON.stringify(header);
  return `${clear}\n${await encryptWith(fromBase64(key.key.reveal()), text, clear, randomness)}\n`;
}

/** The header of a journal file; `undefined` if the file has no valid header. */
export function readHeader(file: string): Header | undefined {
  try {
    const header = JSON.parse(file.slice(0, file.indexOf('\n'))) as Partial<Header>;
    const { version, keyId, grantId, generation } = header;
    return typeof version === 'number' &&
      typeof keyId === 'string' &&
      typeof grantId === 'string' &&
      typeof generation === 'number'
      ? { version, keyId, grantId, generation }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Decrypts a journal file. @returns `undefined` if it was truncated, altered or encrypted with another key */
export async function decrypt(file: string, key: JournalKey): Promise<string | undefined> {
  const [clear = '', body = ''] = file.split('\n', 2);
  return decryptWith(fromBase64(key.key.reveal()), body, clear);
}

/**
 * Encrypts `text` with a key of 32 bytes, and authenticates it together with `context`, which stays in clear
 * (AES-256-GCM, a fresh nonce each time). @returns `<nonce>.<encrypted text>`
 */
export async function encryptWith(
  key: Uint8Array<ArrayBuffer>,
  text: string,
  context: string,
  randomness: Randomness,
): Promise<string> {
  const nonce = randomness.bytes(12);
  const encrypted = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonce, additionalData: new TextEncoder().encode(context) },
    await importKey(key, 'encrypt'),
    new TextEncoder().encode(text),
  );
  return `${toBase64(nonce)}.${toBase64(new Uint8Array(encrypted))}`;
}

/** @returns `undefined` for what was truncated or altered, or encrypted with another key or context */
export async function decryptWith(
  key: Uint8Array<ArrayBuffer>,
  encrypted: string,
  context: string,
): Promise<string | undefined> {
  const [nonce = '', body = ''] = encrypted.split('.', 2);
  try {
    const decrypted = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: fromBase64(nonce), additionalData: new TextEncoder().encode(context) },
      await importKey(key, 'decrypt'),
      fromBase64(body),
    );
    return new TextDecoder().decode(decrypted);
  } catch {
    return undefined;
  }
}

function importKey(key: Uint8Array<ArrayBuffer>, usage: 'encrypt' | 'decrypt') {
  return crypto.subtle.importKey('raw', key, 'AES-GCM', false, [usage]);
}
