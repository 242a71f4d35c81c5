import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { encodeGrant } from '../../../src/grants/codec.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { assertLockHeld } from '../../../src/storage/transaction.ts';
import { files } from '../accounts/machine.ts';
import { grantOf, openStorage } from './storageUnderTest.ts';

/** A transaction of the grant that this window knows in generation 1, with and without a disk. */
async function begin(t: TestContext, disk?: Files) {
  const storage = await openStorage(t, disk);
  await storage.store.store(grantOf(1));
  const transaction = await storage.store.begin(grantOf(1), 0);
  assert.ok(transaction !== undefined);
  t.after(() => transaction.end());
  return { ...storage, transaction };
}

async function beginWithoutDisk(t: TestContext) {
  const storage = await openStorage(t, 'none');
  const { store, secretStore } = storage;
  await secretStore.store(grantOf(1));
  const transaction = await store.begin(grantOf(1), 0);
  assert.ok(transaction !== undefined);
  return { ...storage, transaction };
}

test('a transaction reads the journal’s record if that is newer than the secret store’s copy', async (t) => {
  const { journal, transaction } = await begin(t);
  await journal?.write(grantOf(3));
  assert.equal((await transaction.read()).generation, 3);
});

test('a transaction reads the secret store’s copy if the journal could not store a newer record', async (t) => {
  const { secretStore, transaction } = await begin(t);
  await secretStore.store(grantOf(4));
  assert.equal((await transaction.read()).generation, 4);
});

test('a transaction reads the grant that its window knows if everything stored is older', async (t) => {
  const { store } = await begin(t);
  const known = grantOf(7, 'other');
  const transaction = await store.begin(known, 0);
  assert.equal(await transaction?.read(), known);
  await transaction?.end();
});

test('a transaction does not touch a grant that a newer version of the extension has written', async (t) => {
  const { secrets, transaction } = await begin(t);
  const newer = { ...(JSON.parse(encodeGrant(grantOf(9))) as object), version: 2 };
  await secrets.window().store('grant.grant', JSON.stringify(newer));
  await assert.rejects(transaction.read(), { kind: 'transient', details: { step: 'storage', code: 'newer_version' } });
});

test('a transaction of a grant that was signed out reads no tokens', async (t) => {
  const { store, transaction } = await begin(t);
  assert.equal(await transaction.isSignedOut(), false);
  await store.writeTombstone('grant');
  assert.equal(await transaction.isSignedOut(), true);
  await assert.rejects(transaction.read(), { kind: 'invalidGrant', details: { step: 'storage', code: 'signed_out' } });
});

test('a record that the journal cannot store goes to the secret store, and says so in the log', async (t) => {
  let isFull = false;
  const rename: Files['rename'] = (from, to) =>
    isFull ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) : files.rename(from, to);
  const { secretStore, transaction, lines } = await begin(t, { ...files, rename });
  const reservation = await transaction.reserve(grantOf(1));
  isFull = true;
  await reservation.commit(grantOf(2));
  const copy = await secretStore.readOne('grant');
  assert.equal(copy?.kind === 'grant' && copy.grant.generation, 2);
  assert.match(lines.join('\n'), /could not be written to the journal; .*code=ENOSPC/);
});

test('a window that lost its lock may not go on with its transaction', async (t) => {
  const { directory, transaction } = await begin(t);
  await assertLockHeld(transaction);
  await files.remove(`${directory}/grant.lock`);
  await files.create(`${directory}/grant.lock`, 'another0 000000000000\n');
  await assert.rejects(assertLockHeld(transaction), {
    kind: 'transient',
    details: { step: 'storage', code: 'lock_lost' },
  });
});

test('another window cannot begin a transaction of the same grant before the first one ends', async (t) => {
  const { store, transaction } = await begin(t);
  assert.equal(await store.begin(grantOf(1), 0), undefined);
  await transaction.end();
  const next = await store.begin(grantOf(1), 0);
  assert.notEqual(next, undefined);
  await next?.end();
});

test('without a disk a transaction changes the secret store', async (t) => {
  const { secretStore, transaction } = await beginWithoutDisk(t);
  await (await transaction.reserve(grantOf(1))).commit(grantOf(2));
  assert.equal((await transaction.read()).generation, 2);
  assert.equal(await transaction.isOurs(), true);
  await transaction.write(grantOf(3));
  const copy = await secretStore.readOne('grant');
  assert.equal(copy?.kind === 'grant' && copy.grant.generation, 3);
});

test('without a disk a grant whose record has vanished counts as signed out', async (t) => {
  const { secretStore, transaction } = await beginWithoutDisk(t);
  assert.equal(await transaction.isSignedOut(), false);
  await secretStore.delete('grant');
  assert.equal(await transaction.isSignedOut(), true);
});
