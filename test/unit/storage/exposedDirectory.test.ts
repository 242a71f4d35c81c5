import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Files, notPrivateCode } from '../../../src/platform/contract.ts';
import { files, Machine } from '../accounts/machine.ts';

const ada = 'ada (wiki)';
const grace = 'grace (wiki)';

/** A machine whose journal's directory belongs to another user while `isExposed`. */
async function begin(t: TestContext, { isExposed }: { isExposed: boolean }) {
  const disk = {
    isExposed,
    code: notPrivateCode,
    files: {
      ...files,
      makePrivateDirectory: async (path) => {
        await files.makePrivateDirectory(path);
        if (disk.isExposed) {
          throw Object.assign(new Error('exposed'), { code: disk.code });
        }
      },
    } satisfies Files,
  };
  const machine = await Machine.start(t);
  return { machine, disk, open: () => machine.open({ files: disk.files }) };
}

/** The same with two accounts; the directory is exposed only now. */
async function beginWithAccounts(t: TestContext) {
  const begun = await begin(t, { isExposed: false });
  const window = await begun.open();
  const { grant } = await window.accounts.storeSignIn(begun.machine.server.signIn('ada'));
  await window.accounts.storeSignIn(begun.machine.server.signIn('grace'));
  const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
  await window.accounts.dispose();
  begun.machine.server.refreshes.length = 0;
  begun.disk.isExposed = true;
  return { ...begun, grant: renewed };
}

const notPrivate = { kind: 'transient', details: { step: 'storage', code: 'not_private' } };

test('with an exposed directory and no account, the secret store alone is used, and the user is told', async (t) => {
  const { machine, open } = await begin(t, { isExposed: true });
  const window = await open();
  assert.deepEqual([...window.accounts.problems], ['exposed']);
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  await window.accounts.renew(grant.id, { reason: 'asked' });
  assert.equal((await window.accounts.diagnostics()).hasJournal, false);
  assert.deepEqual([...(await machine.journal()).keys()], []);
  const reloaded = await open();
  assert.deepEqual(reloaded.labels, [ada]);
  assert.equal((await reloaded.accounts.renew(grant.id, { reason: 'asked' })).generation, 3);
});

test('accounts of the secret store alone get a journal once a window finds its directory private', async (t) => {
  const { machine, disk, open } = await begin(t, { isExposed: true });
  const first = await open();
  const { grant } = await first.accounts.storeSignIn(machine.server.signIn('ada'));
  await first.accounts.renew(grant.id, { reason: 'asked' });
  await first.accounts.dispose();
  disk.isExposed = false;
  const window = await open();
  assert.deepEqual([...window.accounts.problems], []);
  assert.equal((await window.accounts.renew(grant.id, { reason: 'asked' })).generation, 3);
  assert.ok([...(await machine.journal()).keys()].some((name) => name.startsWith(`${grant.id}.3.`)));
});

test('with an exposed directory, accounts are listed, but nothing is renewed and no request is sent', async (t) => {
  const { machine, open, grant } = await beginWithAccounts(t);
  const window = await open();
  assert.deepEqual(window.labels, [ada, grace]);
  assert.deepEqual([...window.accounts.problems], ['exposed']);
  assert.equal(window.accounts.find(grant.id)?.grant.generation, 2);
  await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), notPrivate);
  machine.clock.aheadMs = machine.server.lifeSeconds * 1_000;
  await window.accounts.wakeUp();
  assert.deepEqual(machine.server.refreshes, []);
});

test('a window notices at its next look that the directory has been exposed', async (t) => {
  const { machine, disk, open, grant } = await beginWithAccounts(t);
  disk.isExposed = false;
  const window = await open();
  disk.isExposed = true;
  await window.accounts.wakeUp();
  await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), notPrivate);
  assert.deepEqual(machine.server.refreshes, []);
});

test('an exposed directory counts as exposed until it could be made private, whatever fails in between', async (t) => {
  const { machine, disk, open, grant } = await beginWithAccounts(t);
  const window = await open();
  disk.code = 'EIO';
  await window.accounts.wakeUp();
  await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), notPrivate);
  assert.deepEqual(machine.server.refreshes, []);
});

test('with an exposed directory, sign-ins to a new account and to a known one are kept', async (t) => {
  const { machine, open, grant } = await beginWithAccounts(t);
  const window = await open();
  const before = [...(await machine.journal()).keys()].sort();
  const { grant: again } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  await window.accounts.storeSignIn(machine.server.signIn('alan'));
  assert.deepEqual(window.labels, [ada, 'alan (wiki)', grace]);
  const after = [...(await machine.journal()).keys()].filter((name) => !name.startsWith(grant.id)).sort();
  assert.deepEqual(
    after,
    before.filter((name) => !name.startsWith(grant.id)),
    'no record is written',
  );
  const reloaded = await open();
  assert.deepEqual(reloaded.labels, [ada, 'alan (wiki)', grace]);
  assert.ok(reloaded.accounts.find(again.id)?.grant.tokens.accessToken.equals(again.tokens.accessToken));
});

test('renewals go on without a reload once the directory can be made private', async (t) => {
  const { machine, disk, open, grant } = await beginWithAccounts(t);
  const window = await open();
  const { grant: alan } = await window.accounts.storeSignIn(machine.server.signIn('alan'));
  disk.isExposed = false;
  machine.clock.aheadMs = machine.server.lifeSeconds * 1_000;
  await window.accounts.wakeUp();
  assert.equal(window.accounts.find(grant.id)?.grant.generation, 3);
  assert.equal(window.accounts.find(alan.id)?.grant.generation, 2);
  assert.equal(machine.server.refreshes.length, 3);
  const names = [...(await machine.journal()).keys()];
  assert.ok(names.some((name) => name.startsWith(`${alan.id}.2.`)));
});
