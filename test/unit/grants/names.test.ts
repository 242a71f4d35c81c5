import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Grant } from '../../../src/grants/grant.ts';
import { serverLabels } from '../../../src/grants/names.ts';

function grant(id: string, signedInAtMs: number, userName?: string, workspaceName = ''): Grant {
  const identity = userName === undefined ? {} : { identity: { userId: id, userName, workspaceId: id, workspaceName } };
  return { id, signedInAtMs, label: `label of ${id}`, ...identity } as Grant;
}

test('the label of an account’s MCP server names its workspace', () => {
  assert.deepEqual([...serverLabels([grant('a', 1, 'Ada', 'Wiki')])], [['a', 'Notion – Wiki']]);
});

test('server labels for one workspace differ by user or number, and the oldest sign-in keeps the plain label', () => {
  const all = [grant('c', 3, 'Ada', 'Wiki'), grant('b', 2, 'Ada', 'Wiki'), grant('a', 1, 'Grace', 'Wiki')];
  assert.deepEqual(Object.fromEntries(serverLabels(all)), {
    a: 'Notion – Wiki',
    b: 'Notion – Wiki (Ada)',
    c: 'Notion – Wiki · 2',
  });
});

test('the label of an MCP server falls back to the user or the account’s label if the workspace is unknown', () => {
  assert.deepEqual([...serverLabels([grant('a', 1)])], [['a', 'Notion – label of a']]);
  assert.deepEqual([...serverLabels([grant('a', 1, 'Ada', '\n')])], [['a', 'Notion – Ada']]);
});
