import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { contract } from './contract.ts';
import type { ContractRow } from './contractRow.ts';
import { defaultProfile, parseProfile } from './profile.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const rows: readonly ContractRow[] = contract;

test('every row of the contract names an existing test, and no shape has two rows', () => {
  const titles = readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => [...readFileSync(`${folder}${file}`, 'utf8').matchAll(/\btest\('((?:\\.|[^'])*)'/g)])
    .map(([, title = '']) => title);
  assert.deepEqual(
    rows.filter((row) => !titles.includes(row.test)),
    [],
  );
  assert.equal(new Set(rows.map(({ shape }) => shape)).size, rows.length);
});

test('every setting of a profile changes a shape of the contract', () => {
  const named = new Set(rows.flatMap(({ profile = [] }) => profile));
  assert.deepEqual([...named].sort(), Object.keys(defaultProfile).sort());
});

test('every shape that is documented names a page of Notion’s documentation', () => {
  assert.deepEqual(
    rows.filter(({ kind, source }) => kind === 'documented' && !source.includes('developers.notion.com/')),
    [],
  );
});

test('the settings of a profile can be read from a command line', () => {
  const settings = ['identity=bare', 'scopes=[]', 'unknownAtFirst={"client":{"requests":1}}', 'email=false'];
  assert.deepEqual(parseProfile(settings), {
    identity: 'bare',
    scopes: [],
    unknownAtFirst: { client: { requests: 1 } },
    email: false,
  });
  assert.throws(() => parseProfile(['identitty=bare']), /there is no “identitty”/);
});
