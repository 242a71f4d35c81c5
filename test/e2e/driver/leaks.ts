import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { systemErrorCode } from '../../../src/core/errorInfo.ts';
import { everyServer } from '../../notion/server.ts';

/** Texts that no file or output may contain. */
export interface SensitiveTexts {
  /** Tokens, codes, verifiers and states. Parts and encoded forms of them are searched for too. */
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
      const content = Buffer.concat([Buffer.from(`${place}\n`), entry.isFile() ? await contentOf(path) : Buffer.of()]);
      search(place, content, mayHoldNames.test(place) ? Buffer.of() : content);
    }
  }
  for (const { name, lines, isFromExtension } of outputs) {
    search(name, Buffer.from(lines.join('\n')), Buffer.from(lines.filter(isFromExtension).join('\n')));
  }
  return leaks;
}

/** The content of a file, or nothing if it is gone: windows rename and remove files. */
export async function contentOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      return Buffer.of();
    }
    throw error;
  }
}

/** The installed extensions, and the editor's log of its messages to and from agents, with the results of tools. */
const mayHoldNames = /^extensions\/|^data\/logs\/\w+\/ahp\//;

/** Shorter parts, such as the user's id in a token, are not secret. */
const minPartLength = 16;

/** A secret and its parts, in each way in which a program may write them. */
function formsOf(secret: string): string[] {
  const texts = [secret, ...secret.split(/[^\w-]+/)].filter((text) => text.length >= minPartLength);
  const written = texts.flatMap(escapesOf);
  return [...written, ...written.flatMap(base64Of).flatMap(escapesOf), ...written.flatMap(hexOf)];
}

/** A text as URLs, forms and JSON contain it, also one within another. */
function escapesOf(text: string): string[] {
  const percent = encodeURIComponent(text);
  const form = new URLSearchParams({ '': text }).toString().slice(1);
  const json = JSON.stringify(text).slice(1, -1);
  const inLowerCase = (escaped: string) => escaped.replace(/%../g, (run) => run.toLowerCase());
  return [
    ...[text, percent, form, inLowerCase(percent), inLowerCase(form), encodeURIComponent(percent)],
    ...[json, json.replaceAll('/', '\\/'), JSON.stringify(json).slice(1, -1)],
  ];
}

/** The base64 and base64url forms of a text for each of the three positions at which it can begin in the encoded text. */
function base64Of(text: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.from(' '.repeat(offset) + text);
    // The first and last characters also contain bits of the adjacent bytes.
    const inner = (encoded: string) => encoded.slice(offset === 0 ? 0 : offset + 1, Math.floor((bytes.length * 8) / 6));
    return [inner(bytes.toString('base64')), inner(bytes.toString('base64url'))];
  });
}

function hexOf(text: string): string[] {
  const digits = Buffer.from(text).toString('hex');
  return [digits, digits.toUpperCase()];
}

/** Searches for many texts in one pass, because there are thousands of them and many megabytes of files. */
class TextSearch {
  /** The texts by the four bytes in their middle, as many of them begin alike. */
  readonly #byMiddle = new Map<number, { text: string; form: Buffer; middle: number }[]>();

  constructor(texts: readonly string[]) {
    for (const text of new Set(texts)) {
      for (const form of [Buffer.from(text), Buffer.from(text, 'utf16le')]) {
        const middle = (form.length - 4) >> 1;
        const key = form.readUInt32LE(middle);
        const others = this.#byMiddle.get(key);
        if (others === undefined) {
          this.#byMiddle.set(key, [{ text, form, middle }]);
        } else {
          others.push({ text, form, middle });
        }
      }
    }
  }

  /** Returns the first of the texts that the content contains in UTF-8 or UTF-16. */
  firstIn(content: Buffer): string | undefined {
    for (let at = 0; at + 4 <= content.length; at += 1) {
      const match = this.#byMiddle
        .get(content.readUInt32LE(at))
        ?.find(
          ({ form, middle }) => at >= middle && content.subarray(at - middle, at - middle + form.length).equals(form),
        );
      if (match !== undefined) {
        return match.text;
      }
    }
    return undefined;
  }
}
