import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readmeForEditor } from '../../esbuild.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');
const readme = read('README.md');

test('the README’s example is the one that the tests run', () => {
  assert.ok(readme.includes(read('test/editor/consumer/callNotion.ts').trimEnd()));
});

test('the types that extensions are to copy are in the README, and the ones that the tests compiled their copy of', () => {
  assert.ok(readme.includes(read('src/notionMcpAuth.d.ts').trimEnd()));
  assert.equal(read('test/editor/consumer/notionMcpAuth.d.ts'), read('src/notionMcpAuth.d.ts'));
});

test('every file that the README leads to is there', () => {
  const targets = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target = '']) => target);
  assert.ok(targets.length > 1);
  assert.deepEqual(
    targets.filter((target) => !existsSync(`${root}${target}`)),
    [],
  );
});

test('the README that the editor shows has no picture and no link that would be broken there, and all the words', () => {
  const shown = readmeForEditor(readme);
  assert.deepEqual(shown.match(/\]\((?!https?:|#)[^)]*\)/g), null);
  const words = (text: string): string[] => text.split(/\s+/);
  const withoutTargets = readme.replace(/^ *!\[.*$/gm, '').replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  assert.deepEqual(words(shown), words(withoutTargets));
  assert.equal(readmeForEditor('![A](https://example.com/a.png)\n'), '![A](https://example.com/a.png)\n');
});

test('every npm script that the README names is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [
    ...readme.matchAll(/npm (?:run )?((?:test|start|check|package|fuzz|stress|bench|pictures)[:\w]*)/g),
  ].map(([, name = '']) => name);
  assert.deepEqual(
    named.filter((name) => scripts[name] === undefined),
    [],
  );
});
