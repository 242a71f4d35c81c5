import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FreshSignIn } from '../../../src/accounts/addAccount.ts';
import { Machine } from './machine.ts';

/** A window with the account `ada`, which was granted these scopes. */
async function open(t: TestContext, scopes: string[] | undefined) {
  const machine = await Machine.start(t);
  const window = await machine.open();
  const fresh = (user: string | undefined, granted: string[] | undefined): FreshSignIn => {
    const { tokens, ...rest } = machine.server.signIn(user);
    return { ...rest, tokens: { ...tokens, ...(granted && { scopes: granted }) } };
  };
  const { grant } = await window.accounts.storeSignIn(fresh('ada', scopes));
  return { machine, window, grant, fresh };
}

test('a sign-in with fewer scopes than the account has changes nothing, in this window or another', async (t) => {
  const { machine, window, grant, fresh } = await open(t, ['read', 'write']);
  const events = [...window.events];
  const refused = { kind: 'accessDenied', details: { step: 'storage', code: 'fewer_scopes' } };
  await assert.rejects(window.accounts.storeSignIn(fresh('ada', ['read', 'comments'])), refused);
  const other = await machine.open();
  await assert.rejects(other.accounts.storeSignIn(fresh('ada', ['read'])), refused);
  assert.equal(window.only().grant, grant);
  assert.deepEqual(window.events, events);
  assert.deepEqual(machine.server.revoked, []);
  assert.equal((await machine.open()).only().grant.generation, grant.generation);
});

for (const [title, earlier, later] of [
  ['with more scopes', ['read'], ['read', 'write']],
  ['with the same scopes', ['read', 'write'], ['write', 'read']],
  ['whose scopes are not known', ['read'], undefined],
  ['to an account whose scopes are not known', undefined, ['read']],
] as const) {
  test(`a sign-in ${title} replaces the account’s grant`, async (t) => {
    const { window, grant, fresh } = await open(t, earlier && [...earlier]);
    const { reconnected } = await window.accounts.storeSignIn(fresh('ada', later && [...later]));
    assert.equal(reconnected, true);
    assert.equal(window.only().grant.generation, grant.generation + 1);
  });
}

test('a sign-in with fewer scopes replaces a grant that has ended, and one of the same client, which it may have ended', async (t) => {
  const { machine, window, grant, fresh } = await open(t, ['read', 'write']);
  machine.clock.aheadMs = 10 * 60_000;
  machine.server.end(grant);
  await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidGrant' });
  const ended = await window.accounts.storeSignIn(fresh('ada', ['read']));
  assert.deepEqual(window.only().grant.tokens.scopes, ['read']);
  await window.accounts.storeSignIn({ ...fresh('ada', ['comments']), client: ended.grant.client });
  assert.deepEqual(window.only().grant.tokens.scopes, ['comments']);
});

test('of two accounts that turn out to be the same, the older grant survives if it allows more', async (t) => {
  const { machine, window, grant, fresh } = await open(t, ['read', 'write']);
  machine.clock.aheadMs = 1_000;
  const duplicate = await window.accounts.storeSignIn(fresh(undefined, ['read']));
  await window.accounts.applyIdentity(duplicate.grant.id, grant.identity ?? assert.fail());
  assert.equal(window.only().grant.id, grant.id);
  assert.ok(window.only().grant.tokens.accessToken.equals(grant.tokens.accessToken));
  assert.deepEqual(machine.server.revoked, [duplicate.grant.tokens.refreshToken?.reveal()]);
});
