import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Grant } from '../../../src/grants/grant.ts';
import { serverLabels } from '../../../src/grants/names.ts';

function grant(id: string, signedInAtMs: number, userName?: string, workspaceName = ''): Grant {
  const identity = userName === undefined ? {} : { identity: { userId: id, userName, workspaceId: id, workspaceName } };
  return { id, signedInAtMs, label: `label of ${id}`, ...identity } as Grant;
}

test('a server is labelled with its workspace', () => {
  assert.deepEqual([...serverLabels([grant('a', 1, 'Ada', 'Wiki')])], [['a', 'Notion – Wiki']]);
});

test('servers of one workspace are told apart by the user, then by a number, and the oldest keeps the plain label', () => {
  const all = [grant('c', 3, 'Ada', 'Wiki'), grant('b', 2, 'Ada', 'Wiki'), grant('a', 1, 'Grace', 'Wiki')];
  assert.deepEqual(Object.fromEntries(serverLabels(all)), {
    a: 'Notion – Wiki',
    b: 'Notion – Wiki (Ada)',
    c: 'Notion – Wiki · 2',
  });
});

test('without a known workspace the account’s own label stands in', () => {
  assert.deepEqual([...serverLabels([grant('a', 1)])], [['a', 'Notion – label of a']]);
  assert.deepEqual([...serverLabels([grant('a', 1, 'Ada', '\n')])], [['a', 'Notion – Ada']]);
});
