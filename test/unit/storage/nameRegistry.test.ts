import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandomness } from '../../../src/core/random.ts';
import { type ServerNames, toolIdPrefixes } from '../../../src/grants/names.ts';
import type { Identity } from '../../../src/notion/identity.ts';
import { type JournalKey, newKey } from '../../../src/storage/encryption.ts';
import { assignNames, type NameRequest, type StoredRegistry } from '../../../src/storage/nameRegistry.ts';

/** A registry with one key, in memory. */
function open(stored?: StoredRegistry, keys: JournalKey[] = [newKey(systemRandomness)]) {
  const place = {
    stored,
    readNames: async () => place.stored,
    writeNames: async (registry: string) => {
      place.stored = registry;
    },
  };
  const assign = (user: string, workspace: string, workspaceId = workspace, more: Partial<NameRequest> = {}) => {
    const identity: Identity = { userId: user, userName: user, workspaceId, workspaceName: workspace };
    const accountId = `${user} in ${workspaceId}`;
    return assignNames(
      place,
      { identity, accountId, code: codeOf(accountId), others: [], ...more },
      { keys, randomness: systemRandomness },
    );
  };
  return { place, assign, keys };
}

function codeOf(accountId: string): string {
  return `CODE${accountId.length}`;
}

test('an identity gets the same names again after a sign-out, and no other identity ever gets them', async () => {
  const { assign } = open();
  const first = await assign('ada', 'Wiki', 'w1');
  assert.deepEqual(first, { label: 'ada (Wiki)', serverNames: { handle: 'notion-wiki', title: 'Notion – Wiki' } });
  const second = await assign('ada', 'Wiki', 'w22');
  assert.deepEqual(second, {
    label: 'ada (Wiki) · CODE10',
    serverNames: { handle: 'notion2-wiki', title: 'Notion 2 – Wiki' },
  });
  assert.deepEqual(await assign('ada', 'Wiki', 'w1'), first);
  assert.deepEqual(await assign('ada', 'Wiki', 'w22'), second);
});

test('an account that was named before the registry existed keeps its names, and others get other ones', async () => {
  const { assign } = open();
  const serverNames: ServerNames = { handle: 'notion-wiki', title: 'Notion – Wiki' };
  const names = await assign('ada', 'Wiki', 'w2', { others: [{ label: 'ada (Wiki)', serverNames }] });
  assert.deepEqual(names, {
    label: 'ada (Wiki) · CODE9',
    serverNames: { handle: 'notion2-wiki', title: 'Notion 2 – Wiki' },
  });
});

test('no two accounts share the parts of their names that the editor makes tool ids from', async () => {
  const { assign } = open();
  const prefixes: string[] = [];
  for (const workspace of [
    'Engineering Wiki',
    'Engineering Docs',
    'Engine',
    'English',
    '日本語',
    '中国',
    'Éa',
    'Öa',
    '',
    'workspace',
  ]) {
    const { serverNames } = await assign('ada', workspace, `id of ${workspace}`);
    prefixes.push(...toolIdPrefixes(serverNames));
  }
  assert.equal(new Set(prefixes).size, prefixes.length, prefixes.join());
});

test('a label that the account has is kept', async () => {
  const { assign } = open();
  assert.equal((await assign('ada', 'Wiki', 'w1', { label: 'ada (Old Wiki)' })).label, 'ada (Old Wiki)');
  assert.notEqual((await assign('ada', 'Old Wiki', 'w2')).label, 'ada (Old Wiki)');
});

for (const [where, keys] of [
  ['in the journal', undefined],
  ['in the secret store', []],
] as const) {
  test(`the names of its server stay those that agents know if a workspace has a new name, with a registry ${where}`, async () => {
    const { assign } = open(undefined, keys && [...keys]);
    await assign('grace', 'Wiki', 'w1');
    const { serverNames } = await assign('ada', 'Wiki', 'w22');
    const renamed = await assign('ada', 'Handbook', 'w22');
    assert.deepEqual(renamed, { label: 'ada (Handbook)', serverNames });
    assert.equal((await assign('eve', 'Wiki', 'w333')).serverNames.handle, 'notion3-wiki');
  });
}

test('the names of one identity’s server cannot be made those of another by changing the registry’s file', async () => {
  const { place, assign } = open();
  await assign('ada', 'Wiki', 'w1');
  await assign('eve', 'Docs', 'w22');
  const registry = JSON.parse(String(place.stored));
  const [section = { servers: {} }] = Object.values<{ servers: Record<string, string> }>(registry.sections);
  const [ada = '', eve = ''] = Object.keys(section.servers);
  section.servers = { [ada]: section.servers[eve] ?? '', [eve]: section.servers[ada] ?? '' };
  place.stored = JSON.stringify(registry);
  assert.equal((await assign('eve', 'Docs', 'w22')).serverNames.handle, 'notion-docs');
});

test('the registry contains no name, e-mail address or id in clear', async () => {
  const { place, assign } = open();
  await assign('Ada Lovelace', 'Engineering Wiki', 'workspace-id');
  assert.doesNotMatch(String(place.stored), /lovelace|engineering|workspace/i);
});

for (const [loss, lose] of [
  ['its key is lost', ({ place }: ReturnType<typeof open>) => open(place.stored)],
  ['it was damaged', ({ keys }: ReturnType<typeof open>) => open('{"version":1,"sections":[', keys)],
  ['it was deleted', ({ keys }: ReturnType<typeof open>) => open('lost', keys)],
] as const) {
  test(`each new label and handle carries the code of its identity, for ever, if ${loss}`, async () => {
    const earlier = open();
    await earlier.assign('ada', 'Wiki', 'w1');
    const { assign } = lose(earlier);
    const names = await assign('ada', 'Wiki', 'w22');
    assert.deepEqual(names, {
      label: 'ada (Wiki) · CODE10',
      serverNames: { handle: 'notion-wiki-code10', title: 'Notion – Wiki' },
    });
    assert.equal((await assign('grace', 'Docs', 'w333')).label, 'grace (Docs) · CODE13');
  });
}

test('without a journal the registry needs no key', async () => {
  const { assign } = open(undefined, []);
  await assign('ada', 'Wiki', 'w1');
  assert.equal((await assign('ada', 'Wiki', 'w22')).serverNames.handle, 'notion2-wiki');
});

test('the names of two keys count, as two windows that signed in at once may each have created one', async () => {
  const one = open();
  await one.assign('ada', 'Wiki', 'w1');
  const both = open(one.place.stored, [...one.keys, newKey(systemRandomness)]);
  assert.equal((await both.assign('ada', 'Wiki', 'w22')).serverNames.handle, 'notion2-wiki');
  assert.equal((await both.assign('ada', 'Wiki', 'w1')).serverNames.handle, 'notion-wiki');
});
