import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import { Machine } from '../accounts/machine.ts';
import { minute } from './renewals.ts';

/** An account as Notion issues it to enterprises: for eight hours, without refresh token. */
async function signedIn(t: TestContext) {
  const machine = await Machine.start(t);
  machine.server.lifeSeconds = 8 * 60 * 60;
  const { tokens, ...rest } = machine.server.signIn('ada');
  const { refreshToken: _, ...withoutRefreshToken } = tokens;
  const window = await machine.open();
  const { grant } = await window.accounts.storeSignIn({ ...rest, tokens: withoutRefreshToken });
  const { id } = grant;
  const { accessToken } = grant.tokens;
  return { machine, window, id, reject: () => window.accounts.renew(id, { reason: 'rejected', accessToken }) };
}

/** The identity request with which a rejected token is tried once more. */
function rejectIdentity(machine: Machine): void {
  machine.server.identity = async () => {
    throw new Failure('serverRejected', { step: 'identity', code: 'invalid_token', status: 401 });
  };
}

test('a grant without refresh token is used until its access token expires, and then needs sign-in', async (t) => {
  const { machine, window, id } = await signedIn(t);
  machine.clock.aheadMs = 8 * 60 * minute - 30_000;
  await window.accounts.wakeUp();
  assert.equal((await window.accounts.fresh(id, 1_000)).id, id, 'half a minute before the end');
  assert.equal(window.only().state, 'healthy');
  machine.clock.aheadMs += minute;
  await window.accounts.wakeUp();
  assert.equal(window.only().grant.needsSignIn?.reason, 'noRefreshToken');
  assert.deepEqual(machine.server.refreshes, []);
});

test('a grant without refresh token says so if the user wants to renew it, and stays usable', async (t) => {
  const { window, id } = await signedIn(t);
  await assert.rejects(window.accounts.renew(id, { reason: 'asked' }), {
    kind: 'transient',
    details: { step: 'token', code: 'no_refresh_token' },
  });
  assert.equal(window.only().state, 'healthy');
});

test('a stray rejection does not end a grant without refresh token', async (t) => {
  const { machine, window, id, reject } = await signedIn(t);
  machine.clock.aheadMs = 10 * minute;
  await assert.rejects(reject(), { kind: 'transient' });
  assert.equal(window.only().state, 'healthy');
  assert.equal(window.accounts.trouble(id), 'beingConfirmed');
  machine.server.identity = async () => ({
    userId: 'ada',
    userName: 'ada',
    workspaceId: 'wiki',
    workspaceName: 'wiki',
  });
  machine.clock.aheadMs += 91_000;
  await window.accounts.wakeUp();
  assert.equal(window.only().state, 'healthy');
  assert.equal(window.accounts.trouble(id), undefined);
});

test('a grant without refresh token ends once a second request 90 seconds later is rejected too', async (t) => {
  const { machine, window, reject } = await signedIn(t);
  machine.clock.aheadMs = 10 * minute;
  rejectIdentity(machine);
  await assert.rejects(reject(), { kind: 'transient' });
  machine.clock.aheadMs += 91_000;
  await window.accounts.wakeUp();
  assert.equal(window.only().state, 'needsSignIn');
});

test('a network that is down keeps a rejected grant without refresh token until the rejection is confirmed', async (t) => {
  const { machine, window, id, reject } = await signedIn(t);
  machine.clock.aheadMs = 10 * minute;
  await assert.rejects(reject(), { kind: 'transient' });
  machine.clock.aheadMs += 91_000;
  await assert.rejects(window.accounts.renew(id, { reason: 'expiry' }), { kind: 'transient' });
  assert.equal(window.only().state, 'healthy');
});
