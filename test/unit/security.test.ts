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

test('every promise in SECURITY.md is held by a test of that title in that file', () => {
  assert.ok(rows.length > 30, 'the table is read');
  assert.deepEqual(
    rows.filter(({ file, title }) => !titlesIn(file).includes(title)),
    [],
  );
});

test('every row of the table is read, and every kind of promise has rows', () => {
  const lines = security.split('\n').filter((line) => line.startsWith('| '));
  const headings = lines.filter((line) => line.startsWith('| **'));
  assert.deepEqual(
    headings.map((line) => line.split('**')[1]),
    ['Nothing is lost', 'Nothing leaks', 'Nobody gets in', 'Nobody waits', 'It says what is wrong'],
  );
  // Two more lines make the table's head.
  assert.equal(rows.length, lines.length - headings.length - 2);
});

/** The titles of a file's tests and suites; what differs from case to case is “…”. */
function titlesIn(file: string): string[] {
  const path = `${root}test/${file}`;
  if (!existsSync(path)) {
    return [];
  }
  const calls = readFileSync(path, 'utf8').matchAll(/\b(?:test|describe)\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g);
  return [...calls].map(([, , title = '']) => title.replace(/\$\{[^}]*\}/g, '…').replaceAll('\\', ''));
}
