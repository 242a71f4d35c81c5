import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Files } from '../../../src/platform/contract.ts';
import { files, Machine } from './machine.ts';

test('a sign-out on a full disk also signs out other windows, and they do not restore the account', async (t) => {
  const machine = await Machine.start(t);
  // The first window gets no event and discovers the sign-out by polling.
  machine.secrets.announces = false;
  const window = await machine.open();
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  const other = await machine.open({ files: full });
  await other.accounts.signOut(grant.id);
  await window.accounts.wakeUp();
  assert.deepEqual(window.labels, []);
  assert.deepEqual((await machine.open()).labels, []);
});

test('a sign-out whose tombstone cannot be stored still removes the account', async (t) => {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  await window.accounts.dispose();
  const secrets = machine.secrets.window();
  const store = (key: string, value: string) =>
    key.startsWith('gone.') ? Promise.reject(new Error('locked')) : secrets.store(key, value);
  const withoutTombstones = await machine.open({ files: full, secrets: { ...secrets, store } });
  await withoutTombstones.accounts.signOut(grant.id);
  assert.deepEqual(machine.server.revoked, [grant.tokens.refreshToken?.reveal()]);
  assert.deepEqual((await machine.open()).labels, []);
});

/** A disk on which no file can be created. */
const full: Files = {
  ...files,
  create: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
  createOpen: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
};
