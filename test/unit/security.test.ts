import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const security = readFileSync(`${root}SECURITY.md`, 'utf8');
/** The rows of the table of promises that name a test. */
const rows = [...security.matchAll(/^\| ([^|]+) \| `([^`|]+\.test\.ts)` \| ([^|]+) \|$/gm)].map(
  ([, promise = '', file = '', title = '']) => ({ promise, file, title }),
);

test('every promise in SECURITY.md names an existing test by its file and title', () => {
  assert.ok(rows.length > 30, 'the table must be parsed');
  assert.deepEqual(
    rows.filter(({ file, title }) => !titlesIn(file).includes(title)),
    [],
  );
});

test('every row of the table in SECURITY.md is parsed, and every kind of promise has a heading', () => {
  const lines = security.split('\n').filter((line) => line.startsWith('| '));
  const headings = lines.filter((line) => line.startsWith('| **'));
  assert.deepEqual(
    headings.map((line) => line.split('**')[1]),
    ['Nothing is lost', 'Nothing leaks', 'No unauthorized access', 'No waiting', 'It says what is wrong'],
  );
  // The table's head has two more lines.
  assert.equal(rows.length, lines.length - headings.length - 2);
});

/** The titles of a file's tests and suites. “…” stands for an interpolated part. */
function titlesIn(file: string): string[] {
  const path = `${root}test/${file}`;
  if (!existsSync(path)) {
    return [];
  }
  const calls = readFileSync(path, 'utf8').matchAll(/\b(?:test|describe)\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g);
  return [...calls].map(([, , title = '']) => title.replace(/\$\{[^}]*\}/g, '…').replaceAll('\\', ''));
}
