import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { after } from 'node:test';
import { everyServer } from '../../notion/everyServer.ts';

/** What may stand nowhere. */
export interface Sought {
  /** Tokens, codes, verifiers and states: not even a part of one, nor as base64. */
  secrets: readonly string[];
  /** Names and addresses of people. Pages and code of extensions, which are shipped, may name them. */
  people: readonly string[];
}

/** What an editor printed or showed on its console, with a name for it. */
export interface Output {
  name: string;
  lines: readonly string[];
  /** Of a line, whether an extension wrote it. What the editor traces of its own dialogs may name people. */
  isExtensions: (line: string) => boolean;
}

/** Whatever any Notion-shaped server of this process issued and whoever it knows. */
export function everythingIssued(): Sought {
  return {
    secrets: everyServer.flatMap((notion) => notion.issuedSecrets()),
    people: everyServer.flatMap(({ directory }) =>
      directory.users.flatMap(({ name, email }) => (email === undefined ? [name] : [name, email])),
    ),
  };
}

/** Where something that is sought stands: in files of these folders, in their names, or in the output. */
export async function findLeaks(folders: readonly string[], outputs: readonly Output[], sought: Sought) {
  const secrets = new Needles(sought.secrets.flatMap(formsOf));
  const people = new Needles(sought.people);
  const leaks: string[] = [];
  const look = (where: string, content: Buffer, noPeopleIn: Buffer) => {
    const secret = secrets.firstIn(content);
    if (secret !== undefined) {
      leaks.push(`${where}: the secret ${secret}`);
    }
    const person = people.firstIn(noPeopleIn);
    if (person !== undefined) {
      leaks.push(`${where}: the person ${person}`);
    }
  };
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const where = relative(folder, path);
      const content = Buffer.concat([Buffer.from(`${where}\n`), entry.isFile() ? await readFile(path) : Buffer.of()]);
      look(where, content, where.startsWith(shipped) ? Buffer.of() : content);
    }
  }
  for (const { name, lines, isExtensions } of outputs) {
    look(name, Buffer.from(lines.join('\n')), Buffer.from(lines.filter(isExtensions).join('\n')));
  }
  return leaks;
}

const found: string[] = [];

/** Looks for everything that was issued; what stands anywhere fails the test file, once all its tests have ended. */
export async function noteLeaks(folders: readonly string[], outputs: readonly Output[]): Promise<void> {
  found.push(...(await findLeaks(folders, outputs, everythingIssued())));
}

// Outside of tests, where the editor is only measured, there is nobody to tell. Thrown by an editor's end itself, it
// would keep a test from ending the rest.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  after(() => assert.deepEqual(found, [], 'something leaked'));
}

/** Where installed extensions lie. */
const shipped = 'extensions/';

/** Shorter parts, such as the user's id in a token, are no secrets. */
const shortestPart = 16;

/** A secret as it may be recognised: its parts, whatever is done to what stands between them, and these as base64. */
function formsOf(secret: string): string[] {
  const parts = secret.split(/[^\w-]+/).filter((part) => part.length >= shortestPart);
  return parts.flatMap((part) => [part, ...base64Of(part)]);
}

/** The characters that a part has within base64, wherever in the encoded text it begins. */
function base64Of(part: string): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.from(' '.repeat(offset) + part).toString('base64url');
    // The first and last characters carry bits of the neighbours too.
    return encoded.slice(offset === 0 ? 0 : offset + 1, -2);
  });
}

/** Texts that are looked for together, in one pass: there are thousands, and an editor's files are many megabytes. */
class Needles {
  /** By their first four bytes. */
  readonly #byStart = new Map<number, { text: string; form: Buffer }[]>();

  constructor(texts: readonly string[]) {
    for (const text of new Set(texts)) {
      for (const form of [Buffer.from(text), Buffer.from(text, 'utf16le')]) {
        const start = form.readUInt32LE(0);
        this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), { text, form }]);
      }
    }
  }

  /** The first of the texts that stands in the content, in UTF-8 or UTF-16. */
  firstIn(content: Buffer): string | undefined {
    for (let at = 0; at + 4 <= content.length; at += 1) {
      const found = this.#byStart
        .get(content.readUInt32LE(at))
        ?.find(({ form }) => content.subarray(at, at + form.length).equals(form));
      if (found !== undefined) {
        return found.text;
      }
    }
    return undefined;
  }
}
