import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readmeForEditor } from '../../esbuild.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');
const readme = read('README.md');
const contributing = read('CONTRIBUTING.md');
const documents = readme + contributing;

test('the example in the README is the one that the tests run, with the file that authors copy', () => {
  assert.ok(readme.includes(read('test/editor/notes/extension.ts').trimEnd()));
  assert.equal(read('test/editor/notes/notionClient.ts'), read('src/notionClient.ts'));
});

test('the README describes every code of the file for authors', () => {
  const [, list = ''] = /const codes = \[([\s\S]*?)\] as const;/.exec(read('src/notionClient.ts')) ?? [];
  const codes = [...list.matchAll(/'(\w+)'/g)].map(([, code]) => `\`${code}\``);
  assert.ok(codes.length > 10);
  assert.deepEqual(
    codes.filter((code) => !readme.includes(code)),
    [],
  );
});

test('the README shows the types for other extensions, and the test extension compiles the same copy', () => {
  assert.ok(readme.includes(read('src/notionMcpAuth.d.ts').trimEnd()));
  assert.equal(read('test/editor/consumer/notionMcpAuth.d.ts'), read('src/notionMcpAuth.d.ts'));
});

test('every file that README and CONTRIBUTING link to exists', () => {
  const targets = [...documents.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target = '']) => target);
  assert.ok(targets.length > 1);
  assert.deepEqual(
    targets.filter((target) => !existsSync(`${root}${target}`)),
    [],
  );
});

test('the README in the editor has no broken pictures or links, and all words of the original but those for contributors', () => {
  const shown = readmeForEditor(readme);
  assert.deepEqual(shown.match(/\]\((?!https?:|#)[^)]*\)/g), null);
  const words = (text: string): string[] => text.split(/\s+/);
  const [forReaders = '', forContributors] = readme.split('\n## Contribute\n');
  assert.ok(forContributors);
  const withoutTargets = forReaders.replace(/^ *!\[.*$/gm, '').replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  assert.deepEqual(words(shown.trim()), words(withoutTargets.trim()));
  assert.doesNotMatch(shown, /npm (ci|start|test|run)|CONTRIBUTING/);
  assert.equal(readmeForEditor('![A](https://example.com/a.png)\n'), '![A](https://example.com/a.png)\n');
});

test('every npm script that README and CONTRIBUTING name exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [
    ...documents.matchAll(/npm (?:run )?((?:test|start|check|package|fuzz|stress|bench|pictures)[:\w]*)/g),
  ].map(([, name = '']) => name);
  assert.deepEqual(
    named.filter((name) => scripts[name] === undefined),
    [],
  );
});

test('CONTRIBUTING lists every room of the source, in the order that the check holds', () => {
  const listed = [...contributing.matchAll(/^src\/(\w+)\/ /gm)].map(([, room = '']) => room);
  const { overrides } = JSON.parse(read('src/biome.json')) as { overrides: { includes: string[] }[] };
  const held = overrides.flatMap(({ includes }) => includes).map((glob) => glob.split('/')[0]);
  assert.deepEqual(
    listed,
    [...new Set(held)].filter((room) => room !== '*'),
  );
  const folders = readdirSync(`${root}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map(({ name }) => name).sort(), [...listed].sort());
});
