import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grantOf } from '../storage/storageUnderTest.ts';
import { beginSync } from './storageSyncUnderTest.ts';

test('a read of the storage that began before a sign-out does not bring the account back', async (t) => {
  const { sync, known, events } = await beginSync(t);
  const reading = sync.syncNow();
  known.forget(grantOf(1).id);
  await reading;
  assert.equal(known.get(grantOf(1).id), undefined);
  assert.deepEqual(
    events.map((event) => event.split(' ')[0]),
    ['removed'],
  );
});

test('a synchronization adopts what other windows have stored and removes what they signed out', async (t) => {
  const { store, sync, events } = await beginSync(t);
  await store.store(grantOf(1, 'other'));
  await store.store(grantOf(2));
  await sync.sync();
  assert.deepEqual(events.sort(), ['added ada other 1', 'changed ada grant 2']);
  events.length = 0;
  await store.writeTombstone('other');
  await sync.sync();
  assert.deepEqual(events, ['removed ada other 1']);
});

test('several hints of the file watch within a moment cause one read', async (t) => {
  const { journal, sync, clock, changed, events, synced } = await beginSync(t);
  assert.equal(sync.watchWorks, false);
  await journal?.write(grantOf(2));
  for (let count = 0; count < 5; count += 1) {
    changed();
  }
  assert.equal(sync.watchWorks, true);
  assert.equal(clock.pendingTimers, 1);
  assert.deepEqual(events, []);
  clock.advance(30);
  await synced;
  assert.deepEqual(events, ['changed ada grant 2']);
});

test('an event of the secret storage causes a read, but does not show that the file watch works', async (t) => {
  const { secretStore, sync, clock, events, synced } = await beginSync(t);
  await secretStore.store(grantOf(2));
  await Promise.resolve();
  clock.advance(30);
  await synced;
  assert.deepEqual(events, ['changed ada grant 2']);
  assert.equal(sync.watchWorks, false);
});

test('reads wait while a sign-in is being stored, except those of the sign-in itself', async (t) => {
  const { journal, sync, events } = await beginSync(t);
  const resumeFirst = sync.pause();
  const resumeSecond = sync.pause();
  await journal?.write(grantOf(2));
  const waiting = sync.sync();
  resumeSecond();
  await sync.syncNow();
  assert.deepEqual(events, ['changed ada grant 2'], 'the sign-in’s own read');
  await journal?.write(grantOf(3));
  let isDone = false;
  void waiting.then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isDone, false, 'the first sign-in is still being stored');
  resumeFirst();
  await waiting;
  assert.deepEqual(events, ['changed ada grant 2', 'changed ada grant 3']);
});

test('without a journal an account whose secret has vanished is removed', async (t) => {
  const { secretStore, sync, events } = await beginSync(t, 'none');
  await secretStore.delete('grant');
  await sync.sync();
  assert.deepEqual(events, ['removed ada grant 1']);
});

test('a repair that fails is logged, and the next synchronization repairs', async (t) => {
  const { secrets, sync, lines } = await beginSync(t);
  const { contents } = secrets;
  contents.delete('grant.grant');
  const set = contents.set.bind(contents);
  contents.set = () => {
    throw Object.assign(new Error('locked'), { code: 'KEYRING' });
  };
  await sync.sync();
  assert.match(lines.join('\n'), /The storage could not be repaired\. code=KEYRING/);
  assert.equal(contents.has('grant.grant'), false);
  contents.set = set;
  await sync.sync();
  assert.equal(contents.has('grant.grant'), true);
});

test('nothing is read any more after the end', async (t) => {
  const { journal, sync, clock, changed, events } = await beginSync(t);
  await journal?.write(grantOf(2));
  changed();
  sync.end();
  clock.advance(1_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events, []);
});

test('a read that began before a sign-out does not bring the account back', async (t) => {
  const { store, known, sync, events } = await beginSync(t);
  await store.store(grantOf(2));
  const reading = sync.sync();
  known.forget('grant');
  await store.remove('grant');
  await reading;
  assert.deepEqual(events, ['removed ada grant 1']);
  assert.equal(known.get('grant'), undefined);
});
