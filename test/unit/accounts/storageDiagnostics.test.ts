import assert from 'node:assert/strict';
import { test } from 'node:test';
import { files, Machine } from './machine.ts';

test('a report counts each account’s files and states whether any window holds its lock', async (t) => {
  const machine = await Machine.start(t);
  const [one, two] = [await machine.open(), await machine.open()];
  const { grant } = await one.accounts.storeSignIn(machine.server.signIn('ada'));
  const { grant: gone } = await one.accounts.storeSignIn(machine.server.signIn('grace'));
  await one.accounts.signOut(gone.id);
  await two.waitForEvent('added ada (wiki)');

  const atRest = await two.accounts.diagnostics();
  assert.deepEqual(atRest.files, {
    grants: new Map([[grant.id, { records: 1, reserved: 0, isLocked: false }]]),
    tombstones: 1,
    isStoring: false,
  });

  const sent = Promise.withResolvers<void>();
  const response = Promise.withResolvers<void>();
  machine.server.next.push(async (_, respond) => {
    sent.resolve();
    await response.promise;
    return respond();
  });
  const renewing = one.accounts.renew(grant.id, { reason: 'asked' });
  await sent.promise;
  const during = await two.accounts.diagnostics();
  assert.deepEqual(during.files?.grants.get(grant.id), { records: 1, reserved: 1, isLocked: true });
  response.resolve();
  await renewing;
});

test('a report can be made without a journal', async (t) => {
  const machine = await Machine.start(t);
  const { accounts } = await machine.open({
    files: { ...files, makePrivateDirectory: () => Promise.reject(new Error('no disk')) },
  });
  const report = await accounts.diagnostics();
  assert.deepEqual([report.hasJournal, report.files], [false, undefined]);
});
