import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { encodeGrant } from '../../../src/grants/codec.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { SecretStore, type Secrets } from '../../../src/storage/secretStore.ts';
import { TokenServer } from '../renewal/tokenServer.ts';
import { MemorySecretStorage } from './memorySecrets.ts';

const server = new TokenServer(() => 0);

function grantOf(id: string): Grant {
  return { ...server.signIn('ada'), id, generation: 1, label: 'ada', signedInAtMs: 0 };
}

/** A store in an empty secret storage, with some of the storage's functions replaced. */
function open(changes: Partial<Secrets> = {}): { store: SecretStore; contents: Map<string, string> } {
  const storage = new MemorySecretStorage();
  return { store: new SecretStore({ ...storage.window(), ...changes }), contents: storage.contents };
}

test('the secret store writes its entries under the documented keys', async () => {
  const { store, contents } = open();
  const grant = grantOf('a');
  await store.storeKey({ id: 'k1', key: new Secret('base64') });
  await store.store(grant);
  await store.storeTombstone('b');
  assert.deepEqual(Object.fromEntries(contents), {
    'journalKey.k1': 'base64',
    'grant.a': encodeGrant(grant),
    'gone.b': '1',
  });
});

test('the secret store finds nothing in an empty secret storage', async () => {
  const { store } = open();
  assert.deepEqual(await store.readKeys(), []);
  assert.deepEqual(await store.read(), new Map());
  assert.equal(await store.readOne('a'), undefined);
  assert.deepEqual(await store.readTombstones(), new Set());
});

test('the keys of all windows are read, each with its own id', async () => {
  const { store } = open();
  await store.storeKey({ id: 'k1', key: new Secret('one') });
  await store.storeKey({ id: 'k2', key: new Secret('two') });
  const keys = await store.readKeys();
  assert.deepEqual(keys.map(({ id, key }) => [id, key.reveal()]).sort(), [
    ['k1', 'one'],
    ['k2', 'two'],
  ]);
});

test('grants are read by id, a damaged one as damaged, and entries of other kinds are no grants', async () => {
  const { store, contents } = open();
  await store.store(grantOf('a'));
  await store.storeTombstone('c');
  contents.set('grant.b', '{"version":1}');
  contents.set('damaged.d', 'text');
  contents.set('another extension’s grant.e', 'text');
  const grants = await store.read();
  assert.deepEqual([...grants].map(([id, { kind }]) => `${id} ${kind}`).sort(), ['a grant', 'b damaged']);
  assert.equal((await store.readOne('b'))?.kind, 'damaged');
  assert.deepEqual(await store.readTombstones(), new Set(['c']));
});

test('an entry that another window deletes during a read is left out', async () => {
  const { store } = open({ get: async () => undefined });
  await store.store(grantOf('a'));
  await store.storeKey({ id: 'k1', key: new Secret('one') });
  assert.deepEqual(await store.read(), new Map());
  assert.deepEqual(await store.readKeys(), []);
});

test('a deleted grant is gone, and the others stay', async () => {
  const { store } = open();
  await store.store(grantOf('a'));
  await store.store(grantOf('b'));
  await store.delete('a');
  assert.deepEqual([...(await store.read()).keys()], ['b']);
});

test('a damaged record is moved to a key of its own, unchanged', async () => {
  const { store, contents } = open();
  contents.set('grant.a', 'not JSON');
  await store.quarantine('a');
  assert.deepEqual(Object.fromEntries(contents), { 'damaged.a': 'not JSON' });
  await store.quarantine('a');
  assert.deepEqual(Object.fromEntries(contents), { 'damaged.a': 'not JSON' }, 'nothing is left to move');
});

test('a damaged record that cannot be moved stays where it is', async () => {
  const { store, contents } = open({ store: () => Promise.reject(new Error('the keyring is locked')) });
  contents.set('grant.a', 'not JSON');
  await assert.rejects(store.quarantine('a'), /locked/);
  assert.deepEqual(Object.fromEntries(contents), { 'grant.a': 'not JSON' });
});

test('a listener hears of changes by other windows until it is disposed', async () => {
  const storage = new MemorySecretStorage();
  const store = new SecretStore(storage.window());
  const changed = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let count = 0;
  const listening = store.onDidChange(() => changed[count++]?.resolve());
  await storage.window().store('grant.a', 'text');
  await changed[0]?.promise;
  listening.dispose();
  store.onDidChange(() => changed[1]?.resolve());
  await storage.window().store('grant.a', 'text');
  await changed[1]?.promise;
  assert.equal(count, 1);
});
