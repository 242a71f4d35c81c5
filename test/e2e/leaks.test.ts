import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findLeaks } from './driver/leaks.ts';

/** Notion's form of a token: its last part is the secret. */
const token = 'user-ada:grant12345:Zm9vYmFyYmF6cXV4cXV1eA';
const part = 'Zm9vYmFyYmF6cXV4cXV1eA';
/** A secret with a mark every few characters, which each encoding writes in its own way. */
const state = 'k/9+ab"c=d&0%x\\~?>?>?>?zQ==';
const sensitive = { secrets: [token, state], personalData: ['Ada Lovelace'] };

const percent = encodeURIComponent;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const json = (text: string) => JSON.stringify(text).slice(1, -1);

/** How a program may write a secret into a file. */
const encodings: Record<string, (secret: string) => string | Buffer> = {
  unencoded: (secret) => secret,
  'percent-encoded': percent,
  'percent-encoded in lower case': (secret) => percent(secret).replace(/%../g, (run) => run.toLowerCase()),
  'percent-encoded twice': (secret) => percent(percent(secret)),
  'as a field of a form': (secret) => new URLSearchParams({ secret }).toString(),
  'as a field of a form in lower case': (secret) =>
    new URLSearchParams({ secret }).toString().replace(/%../g, (run) => run.toLowerCase()),
  'as JSON': (secret) => JSON.stringify({ secret }),
  'as JSON within JSON': (secret) => JSON.stringify(JSON.stringify({ secret })),
  'as JSON with escaped slashes': (secret) => json(secret).replaceAll('/', '\\/'),
  'in hexadecimal': (secret) => Buffer.from(`ab${secret}`).toString('hex'),
  'in upper-case hexadecimal': (secret) => Buffer.from(`ab${secret}`).toString('hex').toUpperCase(),
  'in UTF-16': (secret) => Buffer.from(`ab${secret}`, 'utf16le'),
  'as JSON in UTF-16': (secret) => Buffer.from(JSON.stringify({ secret }), 'utf16le'),
  'in base64, percent-encoded': (secret) => percent(base64(secret)),
  'in base64, in UTF-16': (secret) => Buffer.from(base64(secret), 'utf16le'),
  ...Object.fromEntries(
    ['', 'a', 'ab', 'abc'].flatMap((before): [string, (secret: string) => string][] => [
      [`in base64, at position ${before.length}`, (secret) => base64(`${before}${secret}:c`)],
      [
        `in base64url, at position ${before.length}`,
        (secret) => Buffer.from(`${before}${secret}:c`).toString('base64url'),
      ],
    ]),
  ),
  'in base64 of JSON': (secret) => base64(JSON.stringify({ secret })),
  'in base64 of a form': (secret) => base64(new URLSearchParams({ secret }).toString()),
};

async function folderWith(t: TestContext, name: string, content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'leaks-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'extensions'));
  await writeFile(join(folder, name), content);
  return folder;
}

for (const [encoding, encode] of Object.entries(encodings)) {
  test(`the leak search finds a secret in a file: ${encoding}`, async (t) => {
    for (const secret of [token, state]) {
      const folder = await folderWith(t, 'some.log', Buffer.concat([Buffer.from('x='), Buffer.from(encode(secret))]));
      const [leak, ...others] = await findLeaks([folder], [], sensitive);
      assert.match(leak ?? '', /^some\.log: the secret /, secret);
      assert.deepEqual(others, []);
    }
  });
}

test('the leak search finds the secret part of a token alone', async (t) => {
  for (const content of [`…${part}…`, Buffer.from(part, 'utf16le'), base64(`ab${part}`)]) {
    const folder = await folderWith(t, 'some.log', content);
    assert.equal((await findLeaks([folder], [], sensitive)).length, 1);
  }
});

test('the leak search takes no other text for a secret', async (t) => {
  const others = [token, state].map((secret) => secret.replaceAll(/[0-9a-z]/gi, 'x')).join('\n');
  const folder = await folderWith(t, 'some.log', `${others}\nuser-ada:grant12345:\n${base64(others)}`);
  assert.deepEqual(await findLeaks([folder], [], sensitive), []);
});

test('the leak search finds a user name in files and in extensions’ output, but ignores extensions’ own files and the editor’s trace', async (t) => {
  const folder = await folderWith(t, 'Ada Lovelace.txt', '');
  await writeFile(join(folder, 'extensions', 'readme.md'), 'Sign in as Ada Lovelace.');
  const lines = ['TRACE Ada Lovelace?', '[Extension Host] Ada Lovelace'];
  const isFromExtension = (line: string) => line.startsWith('[Extension Host]');
  assert.deepEqual(
    await findLeaks(
      [folder],
      [
        { name: 'one', lines, isFromExtension },
        { name: 'two', lines: lines.slice(0, 1), isFromExtension },
      ],
      sensitive,
    ),
    ['Ada Lovelace.txt: the name Ada Lovelace', 'one: the name Ada Lovelace'],
  );
});
