import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Machine } from '../accounts/machine.ts';

const ada = 'ada (wiki)';

async function signedIn(t: TestContext) {
  const machine = await Machine.start(t);
  // Each test changes the secrets as another page or machine would, without an event.
  machine.secrets.announces = false;
  const window = await machine.open();
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  return { machine, window, grant };
}

test('a journal key that another page erased is restored', async (t) => {
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

test('the secret of a signed-out account that another page restored is removed again', async (t) => {
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

test('an account that another machine signed out is signed out on this machine for ever', async (t) => {
  const { machine, window, grant } = await signedIn(t);
  machine.secrets.contents.set(`gone.${grant.id}`, '1');
  await window.accounts.wakeUp();
  assert.deepEqual(window.labels, []);
  const names = [...(await machine.journal()).keys()].filter((name) => name.startsWith(grant.id));
  assert.deepEqual(names, [`${grant.id}.gone`]);
});
