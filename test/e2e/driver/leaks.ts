import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { everyServer } from '../../notion/server.ts';

/** Texts that no file or output may contain. */
export interface SensitiveTexts {
  /** Tokens, codes, verifiers and states. Parts and base64 forms of them are searched for too. */
  secrets: readonly string[];
  /** Names and e-mail addresses of users. The installed files of extensions may contain them. */
  personalData: readonly string[];
}

/** Output of an editor. */
export interface Output {
  name: string;
  lines: readonly string[];
  /** Whether an extension wrote the line. The editor's own traces of its dialogs may contain personal data. */
  isFromExtension: (line: string) => boolean;
}

/** @throws AssertionError if there are secrets or personal data of one of this process's Notion-shaped servers */
export async function assertNoLeaks(folders: readonly string[], outputs: readonly Output[]): Promise<void> {
  const secrets = everyServer.flatMap((notion) => notion.issuedSecrets());
  const users = everyServer.flatMap(({ directory }) => directory.users);
  const personalData = users.flatMap(({ name, email }) => (email === undefined ? [name] : [name, email]));
  assert.deepEqual(await findLeaks(folders, outputs, { secrets, personalData }), [], 'something leaked');
}

/** Searches files, file names and output for sensitive texts. @returns one line for each leak */
export async function findLeaks(folders: readonly string[], outputs: readonly Output[], sensitive: SensitiveTexts) {
  const secrets = new TextSearch(sensitive.secrets.flatMap(formsOf));
  const personalData = new TextSearch(sensitive.personalData);
  const leaks: string[] = [];
  const search = (place: string, content: Buffer, withoutPersonalData: Buffer) => {
    const secret = secrets.firstIn(content);
    if (secret !== undefined) {
      leaks.push(`${place}: the secret ${secret}`);
    }
    const name = personalData.firstIn(withoutPersonalData);
    if (name !== undefined) {
      leaks.push(`${place}: the name ${name}`);
    }
  };
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const place = relative(folder, path);
      const content = Buffer.concat([Buffer.from(`${place}\n`), entry.isFile() ? await readFile(path) : Buffer.of()]);
      search(place, content, place.startsWith(installedExtensions) ? Buffer.of() : content);
    }
  }
  for (const { name, lines, isFromExtension } of outputs) {
    search(name, Buffer.from(lines.join('\n')), Buffer.from(lines.filter(isFromExtension).join('\n')));
  }
  return leaks;
}

/** The folder of the installed extensions. */
const installedExtensions = 'extensions/';

/** Shorter parts, such as the user's id in a token, are not secret. */
const minPartLength = 16;

/** The parts of a secret, which are found however the separators between them are encoded, and their base64 forms. */
function formsOf(secret: string): string[] {
  const parts = secret.split(/[^\w-]+/).filter((part) => part.length >= minPartLength);
  return parts.flatMap((part) => [part, ...base64Of(part)]);
}

/** The base64 forms of a part for each of the three positions at which it can begin in the encoded text. */
function base64Of(part: string): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.from(' '.repeat(offset) + part).toString('base64url');
    // The first and last characters also contain bits of the adjacent bytes.
    return encoded.slice(offset === 0 ? 0 : offset + 1, -2);
  });
}

/** Searches for many texts in one pass, because there are thousands of them and many megabytes of files. */
class TextSearch {
  /** The texts by their first four bytes. */
  readonly #byStart = new Map<number, { text: string; form: Buffer }[]>();

  constructor(texts: readonly string[]) {
    for (const text of new Set(texts)) {
      for (const form of [Buffer.from(text), Buffer.from(text, 'utf16le')]) {
        const start = form.readUInt32LE(0);
        this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), { text, form }]);
      }
    }
  }

  /** Returns the first of the texts that the content contains in UTF-8 or UTF-16. */
  firstIn(content: Buffer): string | undefined {
    for (let at = 0; at + 4 <= content.length; at += 1) {
      const match = this.#byStart
        .get(content.readUInt32LE(at))
        ?.find(({ form }) => content.subarray(at, at + form.length).equals(form));
      if (match !== undefined) {
        return match.text;
      }
    }
    return undefined;
  }
}
