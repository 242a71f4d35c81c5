import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Files } from '../../../src/platform/contract.ts';
import { files, Machine } from './machine.ts';

test('a sign-out on a full disk is one in the other windows too, and they do not bring the account back', async (t) => {
  const machine = await Machine.start(t);
  // It hears of nothing and learns of the sign-out by looking.
  machine.secrets.announces = false;
  const window = await machine.open();
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  const other = await machine.open({ files: full });
  await other.accounts.signOut(grant.id);
  await window.accounts.wakeUp();
  assert.deepEqual(window.labels, []);
  assert.deepEqual((await machine.open()).labels, []);
});

test('a sign-out that can be marked nowhere still forgets the account here', async (t) => {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  await window.accounts.dispose();
  const secrets = machine.secrets.window();
  const store = (key: string, value: string) =>
    key.startsWith('gone.') ? Promise.reject(new Error('locked')) : secrets.store(key, value);
  const marksNothing = await machine.open({ files: full, secrets: { ...secrets, store } });
  await marksNothing.accounts.signOut(grant.id);
  assert.deepEqual(machine.server.revoked, [grant.tokens.refreshToken?.reveal()]);
  assert.deepEqual((await machine.open()).labels, []);
});

/** A disk that takes nothing new. */
const full: Files = {
  ...files,
  create: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
  createOpen: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
};
