import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, matchesGlob } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import { readmeForEditor } from '../../esbuild.mjs';
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
    files = entriesIn(vsix)
      .map(({ name }) => name)
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
      ['src/notionClient.ts'],
      'nothing of the source is in it but the file for authors',
    );
  });

  test('the package contains every file that its manifest names', async () => {
    const { main, browser, icon, l10n, scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const uninstall = scripts['vscode:uninstall'].replace(/^node /, '');
    for (const path of [main, browser, icon, l10n, uninstall]) {
      const relativePath = path.replace(/^\.\//, '');
      assert.ok(
        files.some((file) => file === relativePath || file.startsWith(`${relativePath}/`)),
        path,
      );
    }
  });

  test('the page in the package is the README for users and authors, whose first screen says what it is and how to sign in', async () => {
    const page = contentOf(vsix, 'extension/readme.md');
    assert.equal(page, readmeForEditor(await readFile(join(root, 'README.md'), 'utf8')));
    const [first = '', ...others] = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title ?? '');
    assert.equal(first, 'Sign in');
    assert.equal(others.at(-1), 'For authors of extensions');
    assert.ok(page.indexOf('`Notion MCP: Sign In`') < 1_500, 'it comes soon');
  });

  test('the notices in the package name exactly the packages whose code is in it, with their licences', () => {
    const notices = contentOf(vsix, 'extension/dist/ThirdPartyNotices.txt');
    const packages = importedPackages();
    assert.ok(packages.length > 0);
    assert.deepEqual(
      [...notices.matchAll(/^(\S+) [\d.]+ \(.+\)$/gm)].map(([, name]) => name),
      packages,
    );
    for (const name of packages) {
      const folder = join(root, 'node_modules', name);
      const license = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file)) ?? assert.fail(name);
      assert.ok(notices.includes(readFileSync(join(folder, license), 'utf8').trim()), name);
    }
    assert.match(notices, /^llhttp, a part of undici \(MIT\)\n\nMIT License\n\nCopyright Fedor Indutny, 2018\.$/m);
  });

  test(`the package is at most ${maxKilobytes} KB`, () => {
    assert.ok(vsix.length <= maxKilobytes * 1_024, `${Math.ceil(vsix.length / 1_024)} KB`);
  });
});

/** The packages that the source imports, and those that these depend on. */
function importedPackages(): string[] {
  const source = readdirSync(join(root, 'src'), { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => readFileSync(join(root, 'src', name), 'utf8'));
  const imported = source.flatMap((text) =>
    [...text.matchAll(/^(?!import type).*?\b(?:from |import\()'((?:@[\w-]+\/)?[\w-]+)/gm)].map(([, name = '']) => name),
  );
  const packages = new Set(imported.filter((name) => name !== 'vscode' && name !== 'node'));
  for (const name of packages) {
    const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
    for (const dependency of Object.keys(dependencies)) {
      packages.add(dependency);
    }
  }
  return [...packages].sort();
}

/** Returns the content of a file in a ZIP archive, which must be deflated (APPNOTE 4.3.7). */
function contentOf(zip: Buffer, name: string): string {
  for (const { at, size } of entriesIn(zip).filter((entry) => entry.name === name)) {
    const start = at + 30 + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28);
    return inflateRawSync(zip.subarray(start, start + size)).toString();
  }
  return assert.fail(`${name} is missing`);
}

/** Returns the files in the central directory of a ZIP file (APPNOTE 4.3.12 and 4.3.16). */
function entriesIn(zip: Buffer): { name: string; at: number; size: number }[] {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'));
  const count = zip.readUInt16LE(end + 10);
  const entries: { name: string; at: number; size: number }[] = [];
  for (let index = 0, at = zip.readUInt32LE(end + 16); index < count; index += 1) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const start = at + 46;
    const name = zip.toString('utf8', start, start + (nameLength ?? 0));
    entries.push({ name, at: zip.readUInt32LE(at + 42), size: zip.readUInt32LE(at + 20) });
    at = start + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
  }
  return entries;
}
