import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join, matchesGlob } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { extensionVsix } from './driver/vsix.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const maxKilobytes = 500;
/** The files that every package contains, with the names that vsce gives them. */
const standardFiles = ['package.json', 'readme.md', 'changelog.md', 'LICENSE.txt'];

describe('the extension package', () => {
  let vsix: Buffer;
  let files: string[];

  before(async () => {
    vsix = await readFile(extensionVsix);
    files = namesIn(vsix)
      .filter((name) => name.startsWith('extension/'))
      .map((name) => name.slice('extension/'.length));
  });

  test('the package contains exactly the files that .vscodeignore includes', async () => {
    const lines = (await readFile(join(root, '.vscodeignore'), 'utf8')).split('\n');
    const wanted = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    assert.ok(lines.includes('**'), 'everything else is excluded');
    assert.deepEqual(
      files.filter((file) => !standardFiles.includes(file) && !wanted.some((pattern) => matchesGlob(file, pattern))),
      [],
    );
    const exactNames = wanted.filter((pattern) => !/^(README|CHANGELOG|LICENSE)\b/.test(pattern));
    assert.deepEqual(
      exactNames.filter((pattern) => !files.some((file) => matchesGlob(file, pattern))),
      [],
      'nothing is missing',
    );
    assert.deepEqual(
      standardFiles.filter((file) => !files.includes(file)),
      [],
    );
    assert.deepEqual(
      files.filter((file) => /\.(ts|map|log|vsix)$|(^|\/)(node_modules|test|src)\//.test(file)),
      [],
    );
  });

  test('the package contains every file that its manifest names', async () => {
    const { main, browser, icon, l10n } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    for (const path of [main, browser, icon, l10n]) {
      const relativePath = path.replace(/^\.\//, '');
      assert.ok(
        files.some((file) => file === relativePath || file.startsWith(`${relativePath}/`)),
        path,
      );
    }
  });

  test(`the package is at most ${maxKilobytes} KB`, () => {
    assert.ok(vsix.length <= maxKilobytes * 1_024, `${Math.ceil(vsix.length / 1_024)} KB`);
  });
});

/** Returns the file names in the central directory of a ZIP file (APPNOTE 4.3.12 and 4.3.16). */
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
