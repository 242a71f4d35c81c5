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

/** Encrypts and authenticates `text` together with its header (AES-256-GCM, a fresh nonce each time). */
export async function encrypt(text: string, header: Header, key: JournalKey, randomness: Randomness): Promise<string> {
  const clear = JSON.stringify(header);
  const nonce = randomness.bytes(12);
  const encrypted = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonce, additionalData: new TextEncoder().encode(clear) },
    await importKey(key, 'encrypt'),
    new TextEncoder().encode(text),
  );
  return `${clear}\n${toBase64(nonce)}.${toBase64(new Uint8Array(encrypted))}\n`;
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
  const [nonce = '', encrypted = ''] = body.split('.', 2);
  try {
    const decrypted = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: fromBase64(nonce), additionalData: new TextEncoder().encode(clear) },
      await importKey(key, 'decrypt'),
      fromBase64(encrypted),
    );
    return new TextDecoder().decode(decrypted);
  } catch {
    return undefined;
  }
}

function importKey({ key }: JournalKey, usage: 'encrypt' | 'decrypt') {
  return crypto.subtle.importKey('raw', fromBase64(key.reveal()), 'AES-GCM', false, [usage]);
}
