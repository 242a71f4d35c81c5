import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const folder = new URL('../../.github/workflows/', import.meta.url);
const uses = readdirSync(folder).flatMap((file) =>
  [...readFileSync(new URL(file, folder), 'utf8').matchAll(/\buses: *(.*)$/gm)].map(([, action = '']) => action),
);

test('the workflows name each action by its commit, with the version beside it', () => {
  assert.ok(uses.length > 0);
  assert.deepEqual(
    uses.filter((action) => !/^[\w-]+(\/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action)),
    [],
  );
});

test('the workflows use one version of each action', () => {
  const versions = new Set(uses.map((action) => action.replace(/^([\w-]+\/[\w-]+)[^@]*/, '$1')));
  assert.equal(versions.size, new Set([...versions].map((action) => action.replace(/@.*/, ''))).size);
});
