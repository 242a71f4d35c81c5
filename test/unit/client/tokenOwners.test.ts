import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TokenOwners } from '../../../src/client/tokenOwners.ts';
import { Machine } from '../accounts/machine.ts';

/** A window with an account, whose tokens an observer has seen since it was opened. */
async function signedIn(t: TestContext) {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const owners = new TokenOwners(window.accounts, machine.clock);
  await window.accounts.storeSignIn(machine.server.signIn('ada'));
  const { id } = window.only().grant;
  const token = () => window.only().grant.tokens.accessToken.reveal();
  const renew = () => window.accounts.renew(id, { reason: 'asked' });
  return { machine, window, owners, id, token, renew };
}

test('a current token is its account’s, also where the account was loaded before', async (t) => {
  const { machine, window, owners, id, token } = await signedIn(t);
  assert.equal(await owners.ownerOf(token()), id);
  assert.equal(await new TokenOwners(window.accounts, machine.clock).ownerOf(token()), id);
});

test('the previous token counts for ten minutes after a renewal', async (t) => {
  const { machine, owners, id, token, renew } = await signedIn(t);
  const previous = token();
  await renew();
  assert.notEqual(token(), previous);
  machine.clock.aheadMs += 10 * 60_000 - 5_000;
  assert.deepEqual(await Promise.all([owners.ownerOf(previous), owners.ownerOf(token())]), [id, id]);
  machine.clock.aheadMs += 10_000;
  assert.deepEqual(await Promise.all([owners.ownerOf(previous), owners.ownerOf(token())]), [undefined, id]);
});

test('a token before the previous one is unknown, as is one that never was', async (t) => {
  const { owners, token, renew } = await signedIn(t);
  const first = token();
  await renew();
  await renew();
  for (const unknown of [first, `${token()}x`, '']) {
    assert.equal(await owners.ownerOf(unknown), undefined);
  }
});

test('after a sign-out, neither the last token nor the one before is the account’s', async (t) => {
  const { window, owners, id, token, renew } = await signedIn(t);
  const tokens = [token()];
  await renew();
  tokens.push(token());
  await window.accounts.signOut(id);
  for (const each of tokens) {
    assert.equal(await owners.ownerOf(each), undefined);
  }
});

test('while another server is configured, the account’s token is unknown', async (t) => {
  const { machine, window, owners, id, token } = await signedIn(t);
  const { serverUrl } = window.only().grant;
  window.accounts.setServerUrl('https://other.example/mcp');
  assert.equal(await owners.ownerOf(token()), undefined);
  assert.equal(await new TokenOwners(window.accounts, machine.clock).ownerOf(token()), undefined);
  window.accounts.setServerUrl(serverUrl);
  assert.equal(await owners.ownerOf(token()), id);
});
