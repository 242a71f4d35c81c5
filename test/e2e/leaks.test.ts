import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findLeaks } from './driver/leaks.ts';

const token = 'user-ada:grant12345:Zm9vYmFyYmF6cXV4cXV1eA';
const part = 'Zm9vYmFyYmF6cXV4cXV1eA';
const sought = { secrets: [token], people: ['Ada Lovelace'] };

async function folderWith(t: TestContext, name: string, content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'leaks-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'extensions'));
  await writeFile(join(folder, name), content);
  return folder;
}

for (const [what, content] of [
  ['as it is', `token=${token}`],
  ['in a part', `…${part}…`],
  ['percent-encoded', encodeURIComponent(token)],
  ['in UTF-16', Buffer.from(part, 'utf16le')],
  ['as base64', Buffer.from(`ab${token}`).toString('base64')],
] as const) {
  test(`a token that stands in a file ${what} is found`, async (t) => {
    const folder = await folderWith(t, 'some.log', content);
    const [leak, ...others] = await findLeaks([folder], [], sought);
    assert.match(leak ?? '', /^some\.log: the secret /);
    assert.deepEqual(others, []);
  });
}

test('a person is found in files and in what extensions print, not in the pages of extensions and in the editor’s trace', async (t) => {
  const folder = await folderWith(t, 'Ada Lovelace.txt', '');
  await writeFile(join(folder, 'extensions', 'readme.md'), 'Sign in as Ada Lovelace.');
  const lines = ['TRACE Ada Lovelace?', '[Extension Host] Ada Lovelace'];
  const isExtensions = (line: string) => line.startsWith('[Extension Host]');
  assert.deepEqual(
    await findLeaks(
      [folder],
      [
        { name: 'one', lines, isExtensions },
        { name: 'two', lines: lines.slice(0, 1), isExtensions },
      ],
      sought,
    ),
    ['Ada Lovelace.txt: the person Ada Lovelace', 'one: the person Ada Lovelace'],
  );
});
