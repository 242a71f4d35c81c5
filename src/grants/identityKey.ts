import { toBase64Url } from '../core/encoding.ts';
import type { Identity } from '../notion/identity.ts';
import type { Grant } from './grant.ts';

/**
 * A hash of all that tells accounts apart: issuer, server URL, user and workspace. No other server can make up the one
 * of a Notion account. It is the `account.id` of the account's sessions.
 */
export async function identityKey(
  { authorizationServer, serverUrl }: Pick<Grant, 'authorizationServer' | 'serverUrl'>,
  { userId, workspaceId }: Identity,
): Promise<string> {
  return toBase64Url(await sha256(JSON.stringify([authorizationServer.issuer, serverUrl, userId, workspaceId])));
}

/** A short code for a text, of letters and digits that are not mistaken for each other (Crockford's Base32). */
export async function codeOf(text: string): Promise<string> {
  const bytes = await sha256(`code ${text}`);
  return Array.from(bytes.slice(0, codeLength), (byte) => alphabet.charAt(byte % alphabet.length)).join('');
}

const codeLength = 5;
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
