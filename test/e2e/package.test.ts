import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join, matchesGlob } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { extensionVsix } from './driver/vsix.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const mostKilobytes = 500;
/** What a package has in any case, under the names that vsce gives. */
const always = ['package.json', 'readme.md', 'changelog.md', 'LICENSE.txt'];

describe('the package that people install', () => {
  let vsix: Buffer;
  let files: string[];

  before(async () => {
    vsix = await readFile(extensionVsix);
    files = namesIn(vsix)
      .filter((name) => name.startsWith('extension/'))
      .map((name) => name.slice('extension/'.length));
  });

  test('holds what .vscodeignore lets in, and nothing else', async () => {
    const lines = (await readFile(join(root, '.vscodeignore'), 'utf8')).split('\n');
    const wanted = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    assert.ok(lines.includes('**'), 'all the rest is left out');
    assert.deepEqual(
      files.filter((file) => !always.includes(file) && !wanted.some((pattern) => matchesGlob(file, pattern))),
      [],
    );
    const plain = wanted.filter((pattern) => !/^(README|CHANGELOG|LICENSE)\b/.test(pattern));
    assert.deepEqual(
      plain.filter((pattern) => !files.some((file) => matchesGlob(file, pattern))),
      [],
      'nothing is missing',
    );
    assert.deepEqual(
      always.filter((file) => !files.includes(file)),
      [],
    );
    assert.deepEqual(
      files.filter((file) => /\.(ts|map|log|vsix)$|(^|\/)(node_modules|test|src)\//.test(file)),
      [],
    );
  });

  test('holds every file that its manifest names', async () => {
    const { main, browser, icon, l10n } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    for (const path of [main, browser, icon, l10n]) {
      const plain = path.replace(/^\.\//, '');
      assert.ok(
        files.some((file) => file === plain || file.startsWith(`${plain}/`)),
        path,
      );
    }
  });

  test(`is at most ${mostKilobytes} KB`, () => {
    assert.ok(vsix.length <= mostKilobytes * 1_024, `${Math.ceil(vsix.length / 1_024)} KB`);
  });
});

/** The names in a ZIP file's central directory (APPNOTE 4.3.12 and 4.3.16). */
function namesIn(zip: Buffer): string[] {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'));
  const count = zip.readUInt16LE(end + 10);
  const names: string[] = [];
  for (let index = 0, at = zip.readUInt32LE(end + 16); index < count; index += 1) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const start = at + 46;
    names.push(zip.toString('utf8', start, start + (nameLength ?? 0)));
    at = start + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
  }
  return names;
}
