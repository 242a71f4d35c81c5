import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codedLabel, fallbackLabel, labelCandidates, serverNames, toolIdPrefixes } from '../../../src/grants/names.ts';
import type { Identity } from '../../../src/notion/identity.ts';

const ada: Identity = {
  userId: 'u1',
  userName: 'Ada Lovelace',
  userEmail: 'ada@example.com',
  workspaceId: 'w1',
  workspaceName: 'Engineering Wiki',
};
const inWorkspace = (workspaceName: string): Identity => ({ ...ada, workspaceName });

test('a label consists of user and workspace, and is made unique by e-mail address, then by a code, never by a number', () => {
  const base = 'Ada Lovelace (Engineering Wiki)';
  assert.deepEqual(labelCandidates(ada, 'K3Q7X'), [base, `${base} · ada@example.com`, `${base} · K3Q7X`]);
  const { userEmail: _, ...anonymous } = ada;
  assert.deepEqual(labelCandidates(anonymous, 'K3Q7X'), [base, `${base} · K3Q7X`]);
  assert.equal(codedLabel(ada, 'K3Q7X'), `${base} · K3Q7X`);
});

test('a label omits what is missing', () => {
  const label = (more: Partial<Identity>) => labelCandidates({ ...ada, ...more }, 'K3Q7X')[0];
  assert.equal(label({ userName: '\u200b' }), 'ada@example.com (Engineering Wiki)');
  assert.equal(label({ userName: '', userEmail: '' }), 'Notion user (Engineering Wiki)');
  assert.equal(label({ workspaceName: ' ' }), 'Ada Lovelace');
  assert.equal(label({ userName: '[', userEmail: '', workspaceName: ' ' }), 'Notion user');
});

test('a label has no brackets, is composed (NFC), and at most 60 characters long before its suffix', () => {
  const [label = ''] = labelCandidates(
    { ...ada, userName: '[a](command:b) e\u0301', workspaceName: 'w'.repeat(100) },
    'K3Q7X',
  );
  assert.ok(label.startsWith('a (command:b) é ('), label);
  assert.equal(Array.from(label).length, 60);
});

test('fallback labels of different accounts differ', () => {
  assert.equal(fallbackLabel('K3Q7X'), 'Notion account · K3Q7X');
});

for (const [workspace, number, handle, title] of [
  ['Engineering Wiki', 1, 'notion-engineering-wiki', 'Notion – Engineering Wiki'],
  ['Engineering Docs', 2, 'notion2-engineering-docs', 'Notion 2 – Engineering Docs'],
  ['Ünïcode & Söhne', 1, 'notion-unicode-sohne', 'Notion – Ünïcode & Söhne'],
  ['日本語', 1, 'notion-workspace', 'Notion – 日本語'],
  ['--a--b--', 1, 'notion-a-b', 'Notion – --a--b--'],
  ['An extraordinarily long name', 1, 'notion-an-extraordinaril', 'Notion – An extraordinarily long name'],
  ['An extraordinary-x', 1, 'notion-an-extraordinary', 'Notion – An extraordinary-x'],
  ['', 1, 'notion-workspace', 'Notion – Ada Lovelace'],
] as const) {
  test(`the MCP server of the workspace “${workspace}” with number ${number} is ${handle}`, () => {
    const names = serverNames(inWorkspace(workspace), number);
    assert.deepEqual(names, { handle, title });
    assert.match(handle, /^notion\d*-[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(handle.length <= 24);
  });
}

test('a handle with a code ends in it and is no longer than any other', () => {
  const { handle } = serverNames(inWorkspace('Engineering Wiki'), 1, 'K3Q7X');
  assert.equal(handle, 'notion-engineering-k3q7x');
});

test('the parts of names that the editor makes tool ids from are compared as the editor does', () => {
  assert.deepEqual(toolIdPrefixes(serverNames(inWorkspace('Éa Wiki'), 1)), ['notion-ea-wi', 'notion_a_wik']);
  assert.deepEqual(toolIdPrefixes(serverNames(inWorkspace('Öa Wiki'), 1)), ['notion-oa-wi', 'notion_a_wik']);
});
