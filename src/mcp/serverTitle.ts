import { jsonObject, parseJson } from '../core/json.ts';

/** The member of `_meta` in which the result of `server/discover` names the server. */
export const serverInfoInMeta = 'io.modelcontextprotocol/serverInfo';

/** Where the results of `initialize` and `server/discover` name the server. Drafts of 2026-07-28 used the first for both. */
const places = [
  ['result', 'serverInfo'],
  ['result', '_meta', serverInfoInMeta],
];

/**
 * Gives the server another `title` in the response to `initialize` or `server/discover`. All else stays as it was
 * written; a message that is not such a response is returned as it is.
 */
export function withServerTitle(message: string, title: string): string {
  if (jsonObject(message) === undefined) {
    return message;
  }
  return places.reduce((text, place) => {
    const start = valueAt(text, place);
    if (start === undefined || text[start] !== '{') {
      return text;
    }
    const oldTitle = valueAt(text, [...place, 'title']);
    if (oldTitle !== undefined) {
      return splice(text, oldTitle, endOfValue(text, oldTitle), JSON.stringify(title));
    }
    const isEmpty = text[skipSpace(text, start + 1)] === '}';
    return splice(text, start + 1, start + 1, `"title":${JSON.stringify(title)}${isEmpty ? '' : ','}`);
  }, message);
}

function splice(text: string, start: number, end: number, replacement: string): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** The index of the value at a path in valid JSON; the last one, if a member is repeated, as `JSON.parse` takes it. */
function valueAt(text: string, path: readonly string[]): number | undefined {
  let start = skipSpace(text, 0);
  for (const name of path) {
    const member = text[start] === '{' ? memberOf(text, start, name) : undefined;
    if (member === undefined) {
      return undefined;
    }
    start = member;
  }
  return start;
}

function memberOf(text: string, object: number, name: string): number | undefined {
  let found: number | undefined;
  let at = skipSpace(text, object + 1);
  while (text[at] === '"') {
    const endOfName = endOfValue(text, at);
    const value = skipSpace(text, skipSpace(text, endOfName) + 1);
    if (parseJson(text.slice(at, endOfName)) === name) {
      found = value;
    }
    // Past the comma, or the brace that ends the object.
    at = skipSpace(text, skipSpace(text, endOfValue(text, value)) + 1);
  }
  return found;
}

/** The index after a value in valid JSON. */
function endOfValue(text: string, start: number): number {
  const token = /["[\]{}]|[^\s,:[\]{}"]+/g;
  token.lastIndex = start;
  let depth = 0;
  do {
    const [found = ''] = token.exec(text) ?? [];
    if (found === '"') {
      token.lastIndex = endOfString(text, token.lastIndex);
    }
    depth += found === '{' || found === '[' ? 1 : found === '}' || found === ']' ? -1 : 0;
  } while (depth > 0);
  return token.lastIndex;
}

/** The index after the quote that ends a string. A regular expression would exhaust the stack on a long one. */
function endOfString(text: string, start: number): number {
  let at = start;
  while (text[at] !== '"') {
    at += text[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (/\s/.test(text[at] ?? '')) {
    at += 1;
  }
  return at;
}
