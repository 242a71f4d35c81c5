import { isObject, parseJson } from '../core/json.ts';
import { Secret } from '../core/secret.ts';

/** Where bridges find a window: a file in the journal's directory that only its user can read. */
export interface WindowEntry {
  /** The path of the window's socket, or the name of its pipe. */
  path: string;
  /** What the window proves itself with, and what a bridge then sends as Bearer token. Worthless after the window. */
  secret: Secret;
}

const suffix = '.window';

/** The name of a window's entry. */
export function entryName(id: string): string {
  return `${id}${suffix}`;
}

export function isEntryName(name: string): boolean {
  return /^[0-9a-f]{16}\.window$/.test(name);
}

export function formatEntry({ path, secret }: WindowEntry): string {
  return JSON.stringify({ version: 1, path, secret: secret.reveal() });
}

/** Whether a text is an entry of a later version of this extension. */
export function isLaterEntry(text: string): boolean {
  const entry = parseJson(text);
  return isObject(entry) && typeof entry.version === 'number' && entry.version > 1;
}

/** Reads an entry; undefined if it is none, or of a version that is not known. */
export function parseEntry(text: string): WindowEntry | undefined {
  const entry = parseJson(text);
  return isObject(entry) && entry.version === 1 && typeof entry.path === 'string' && typeof entry.secret === 'string'
    ? { path: entry.path, secret: new Secret(entry.secret) }
    : undefined;
}
