import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ApiParts, createApi } from '../../src/api.ts';
import type { Grant } from '../../src/grants/grant.ts';
import type { NotionMcpAuth } from '../../src/notionMcpAuth.d.ts';
import { Machine, type Window } from './accounts/machine.ts';

async function signedIn(
  t: TestContext,
  lacksScopes: ApiParts['lacksScopes'] = async () => false,
): Promise<{ machine: Machine; window: Window; api: NotionMcpAuth; events: unknown[] }> {
  const machine = await Machine.start(t);
  const window = await machine.open();
  await window.accounts.storeSignIn(machine.server.signIn('ada'));
  const listeners: ((event: undefined) => unknown)[] = [];
  const api = createApi({
    accounts: async () => window.accounts,
    lacksScopes,
    onDidChange: (listener) => {
      listeners.push(listener as (event: undefined) => unknown);
      return { dispose: () => undefined };
    },
  });
  const events: unknown[] = [];
  api.onDidChangeAccountStates((event) => events.push(event));
  for (const listener of listeners) {
    listener({ accounts: window.accounts } as unknown as undefined);
  }
  return { machine, window, api, events };
}

test('other extensions get account states by session id, and nothing secret or personal', async (t) => {
  const { window, api } = await signedIn(t);
  const states = await api.getAccountStates();
  assert.deepEqual(states, [{ sessionId: window.only().grant.id, state: 'healthy' }]);
});

test('the API for other extensions is deeply frozen, and so are the account states', async (t) => {
  const { api } = await signedIn(t);
  const states = await api.getAccountStates();
  for (const part of [api, states, states[0]]) {
    assert.ok(Object.isFrozen(part));
  }
});

test('the event for account states has no payload', async (t) => {
  const { events } = await signedIn(t);
  assert.deepEqual(events, [undefined]);
});

test('a rejected token is renewed for a caller that knows it', async (t) => {
  const { machine, window, api } = await signedIn(t);
  machine.clock.aheadMs = 10 * 60_000;
  await api.renewRejected(window.only().grant.tokens.accessToken.reveal());
  assert.equal(machine.server.refreshes.length, 1);
});

test('an unknown token changes nothing, and its caller cannot tell it from one whose renewal failed', async (t) => {
  const { machine, window, api } = await signedIn(t);
  assert.equal(await api.renewRejected('guess'), undefined);
  assert.deepEqual(machine.server.refreshes, []);
  machine.clock.aheadMs = 10 * 60_000;
  machine.server.end(window.only().grant);
  assert.equal(await api.renewRejected(window.only().grant.tokens.accessToken.reveal()), undefined);
});

test('a token that lacks scopes is not renewed, as new tokens would lack them too', async (t) => {
  const asked: Grant[] = [];
  const { machine, window, api } = await signedIn(t, async (grant) => {
    asked.push(grant);
    return true;
  });
  machine.clock.aheadMs = 10 * 60_000;
  const { grant } = window.only();
  await api.renewRejected(grant.tokens.accessToken.reveal());
  await api.renewRejected('guess');
  assert.deepEqual(machine.server.refreshes, []);
  assert.deepEqual(asked, [grant]);
});
