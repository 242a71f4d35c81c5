import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Machine } from '../accounts/machine.ts';

const ada = 'ada (wiki)';

async function signedIn(t: TestContext) {
  const machine = await Machine.start(t);
  // What another page or machine does to the secrets is done to them here, and nobody is told.
  machine.secrets.announces = false;
  const window = await machine.open();
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  return { machine, window, grant };
}

test('a journal’s key that another page erased is put back', async (t) => {
  const { machine, window } = await signedIn(t);
  const { contents } = machine.secrets;
  const [name = ''] = [...contents.keys()].filter((each) => each.startsWith('journalKey.'));
  const key = contents.get(name);
  contents.delete(name);
  await window.accounts.wakeUp();
  assert.notEqual(key, undefined);
  assert.equal(contents.get(name), key);
  assert.deepEqual((await machine.open()).labels, [ada]);
});

test('a signed-out account’s copy that another page put back is taken out again', async (t) => {
  const { machine, window, grant } = await signedIn(t);
  const { contents } = machine.secrets;
  const name = `grant.${grant.id}`;
  const copy = contents.get(name) ?? '';
  await window.accounts.signOut(grant.id);
  contents.set(name, copy);
  await window.accounts.wakeUp();
  assert.notEqual(copy, '');
  assert.equal(contents.has(name), false);
  assert.deepEqual((await machine.open()).labels, []);
});

test('an account that another machine signed out is signed out here for ever', async (t) => {
  const { machine, window, grant } = await signedIn(t);
  machine.secrets.contents.set(`gone.${grant.id}`, '1');
  await window.accounts.wakeUp();
  assert.deepEqual(window.labels, []);
  const names = [...(await machine.journal()).keys()].filter((name) => name.startsWith(grant.id));
  assert.deepEqual(names, [`${grant.id}.gone`]);
});
