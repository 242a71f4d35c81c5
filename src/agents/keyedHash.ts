import { createHmac } from 'node:crypto';

/** The HMAC-SHA-256 of a text, in hexadecimal. Unlike Web Crypto's it is there at once. */
export function keyedHash(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}
