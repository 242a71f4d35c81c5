import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findLeaks } from './driver/leaks.ts';

const token = 'user-ada:grant12345:Zm9vYmFyYmF6cXV4cXV1eA';
const part = 'Zm9vYmFyYmF6cXV4cXV1eA';
const sensitive = { secrets: [token], personalData: ['Ada Lovelace'] };

async function folderWith(t: TestContext, name: string, content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'leaks-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'extensions'));
  await writeFile(join(folder, name), content);
  return folder;
}

for (const [what, content] of [
  ['unencoded', `token=${token}`],
  ['only a part of it', `…${part}…`],
  ['percent-encoded', encodeURIComponent(token)],
  ['in UTF-16', Buffer.from(part, 'utf16le')],
  ['in base64', Buffer.from(`ab${token}`).toString('base64')],
] as const) {
  test(`the leak search finds a token in a file: ${what}`, async (t) => {
    const folder = await folderWith(t, 'some.log', content);
    const [leak, ...others] = await findLeaks([folder], [], sensitive);
    assert.match(leak ?? '', /^some\.log: the secret /);
    assert.deepEqual(others, []);
  });
}

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
