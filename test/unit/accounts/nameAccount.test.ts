import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { MemorySecretStorage } from '../storage/memorySecrets.ts';
import { files, Machine, type Window } from './machine.ts';

/** Signs `ada` in to a workspace of this name; workspaces of one name differ by their id. */
function signIn(machine: Machine, window: Window, workspaceId: string, user = 'ada') {
  const fresh = machine.server.signIn(user, workspaceId);
  const identity = { userId: user, userName: user, workspaceId, workspaceName: 'wiki' };
  return window.accounts.storeSignIn({ ...fresh, identity });
}

const ada = 'ada (wiki)';

test('an account of another workspace of the same name gets neither label nor handle of one that was signed out', async (t) => {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const { grant: first } = await signIn(machine, window, 'w1');
  assert.deepEqual([first.label, first.serverNames?.handle], [ada, 'notion-wiki']);
  await window.accounts.signOut(first.id);
  const reloaded = await machine.open();
  const { grant: second } = await signIn(machine, reloaded, 'w2');
  assert.match(second.label, /^ada \(wiki\) · [0-9A-Z]{5}$/);
  assert.equal(second.serverNames?.handle, 'notion2-wiki');
  assert.notEqual(second.accountId, first.accountId);
  const { grant: again } = await signIn(machine, await machine.open(), 'w1');
  assert.deepEqual(
    [again.label, again.serverNames, again.accountId],
    [first.label, first.serverNames, first.accountId],
  );
});

test('two accounts of one name keep their labels and handles when they are reconnected in the other order', async (t) => {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const namesOf = () =>
    new Map(window.accounts.list().map(({ grant }) => [grant.accountId, [grant.label, grant.serverNames]]));
  await signIn(machine, window, 'w1');
  await signIn(machine, window, 'w2');
  const before = namesOf();
  await signIn(machine, window, 'w2');
  await signIn(machine, window, 'w1');
  assert.deepEqual(namesOf(), before);
  assert.equal(before.size, 2);
});

test('an account keeps its label if Notion names the workspace or the user differently at a reconnect', async (t) => {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  const fresh = machine.server.signIn('ada');
  const renamed = {
    ...fresh,
    identity: { userId: 'ada', userName: 'Ada K.', workspaceId: 'wiki', workspaceName: 'Docs' },
  };
  const { grant: again } = await window.accounts.storeSignIn(renamed);
  assert.deepEqual([again.label, again.serverNames], [grant.label, grant.serverNames]);
  assert.equal(again.identity?.workspaceName, 'Docs');
});

test('the same user and workspace at another server is another account, with another id and label', async (t) => {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const { grant: one } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  const { grant: other } = await window.accounts.storeSignIn(
    machine.server.signIn('ada', 'wiki', 'https://evil.example/mcp'),
  );
  assert.notEqual(other.accountId, one.accountId);
  assert.notEqual(other.label, one.label);
});

test('windows that sign in at the same moment give different names to different accounts', async (t) => {
  const machine = await Machine.start(t);
  const windows = await Promise.all(Array.from({ length: 6 }, () => machine.open()));
  const signedIn = await Promise.all(windows.map((window, index) => signIn(machine, window, `w${index}`)));
  const unique = (names: (string | undefined)[]) => new Set(names).size;
  assert.equal(unique(signedIn.map(({ grant }) => grant.label)), 6);
  assert.equal(unique(signedIn.map(({ grant }) => grant.serverNames?.handle)), 6);
});

test('a fallback label is never given again', async (t) => {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const labels: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn(undefined));
    labels.push(grant.label);
    assert.equal(grant.serverNames, undefined, 'it is not offered in chat yet');
    await window.accounts.signOut(grant.id);
  }
  assert.equal(new Set(labels).size, 3);
  assert.ok(labels.every((label) => /^Notion account · [0-9A-Z]{5}$/.test(label)));
});

test('an account that could not be registered has a label of its own, keeps it, and gets its handle at the next start', async (t) => {
  const machine = await Machine.start(t);
  const isRegistry = (path: string) => /\/names\./.test(path);
  const create: typeof files.create = (path, text) =>
    isRegistry(path) ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) : files.create(path, text);
  const window = await machine.open({ files: { ...files, create } });
  const { grant } = await signIn(machine, window, 'w1');
  assert.match(grant.label, /^ada \(wiki\) · [0-9A-Z]{5}$/);
  assert.equal(grant.serverNames, undefined);
  const reloaded = await machine.open();
  await reloaded.waitForEvent(`changed ${ada}`);
  assert.deepEqual(
    [reloaded.only().grant.label, reloaded.only().grant.serverNames?.handle],
    [grant.label, 'notion-wiki'],
  );
});

test('a deleted registry gives no name of a signed-out account to another one', async (t) => {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const { grant } = await signIn(machine, window, 'w1');
  await window.accounts.signOut(grant.id);
  await rm(`${machine.directory}/names`);
  const { grant: other } = await signIn(machine, await machine.open(), 'w2');
  assert.notEqual(other.label, ada);
});

test('without a disk names are remembered in the secret store', async (t) => {
  const machine = await Machine.start(t, new MemorySecretStorage('rewriting'));
  const window = await machine.open({ files: undefined });
  const { grant } = await signIn(machine, window, 'w1');
  await window.accounts.signOut(grant.id);
  const { grant: other } = await signIn(machine, await machine.open({ files: undefined }), 'w2');
  assert.notEqual(other.label, grant.label);
});
