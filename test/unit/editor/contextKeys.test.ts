import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountState } from '../../../src/accounts/accountState.ts';
import type { Account } from '../../../src/accounts/registry.ts';
import type { AgentUse } from '../../../src/agents/consent.ts';
import { openEditor } from './vscode.ts';

const { ContextKeys } = await import('../../../src/editor/contextKeys.ts');

/** Returns the keys that are set after each of `updates`, with their values. */
function keysAfter(...updates: [states: AccountState[], uses?: AgentUse[]][]): Promise<string[]>[] {
  const { executed } = openEditor();
  const keys = new ContextKeys();
  return updates.map(async ([states, uses]) => {
    const accounts = states.map((state) => ({ state, grant: { serverNames: { handle: 'notion-wiki' } } }) as Account);
    keys.update(accounts, uses && { uses: () => uses });
    return Promise.all(Array.from({ length: executed.size }, () => executed.take()));
  });
}

test('without an account, the context keys say that the user is not signed in', async () => {
  assert.deepEqual(await keysAfter([[]])[0], [
    'setContext notionMcp.signedIn false',
    'setContext notionMcp.accountCount 0',
    'setContext notionMcp.usedInChat false',
    'setContext notionMcp.agentConnected false',
  ]);
});

test('the context keys count the accounts of which a session can be had, also after a renewal', async () => {
  assert.deepEqual((await keysAfter([['healthy', 'expired', 'serverRejected']])[0])?.slice(0, 2), [
    'setContext notionMcp.signedIn true',
    'setContext notionMcp.accountCount 3',
  ]);
});

test('the context keys do not count an account that needs a sign-in or a reload, or that belongs to another server', async () => {
  assert.deepEqual((await keysAfter([['needsSignIn', 'readOnly', 'dormant']])[0])?.slice(0, 2), [
    'setContext notionMcp.signedIn false',
    'setContext notionMcp.accountCount 0',
  ]);
});

test('only a context key that has changed is set again', async () => {
  const [, same, second] = keysAfter([['healthy']], [['healthy']], [['healthy', 'healthy']]);
  assert.deepEqual(await same, []);
  assert.deepEqual(await second, ['setContext notionMcp.accountCount 2']);
});

test('the context keys of the walkthrough tell a tool that chat called from an agent that the user allowed', async () => {
  const offered: AgentUse = { agent: 'editor', permission: 'allowed' };
  const denied: AgentUse = { agent: 'codex', permission: 'denied', usedAtMs: 1 };
  const [, unused, used, connected] = keysAfter(
    [['healthy']],
    [['healthy'], [offered, denied]],
    [['healthy'], [{ ...offered, usedAtMs: 1 }, denied]],
    [
      ['healthy'],
      [
        { ...offered, usedAtMs: 1 },
        { ...denied, permission: 'allowed' },
      ],
    ],
  );
  assert.deepEqual(await unused, []);
  assert.deepEqual(await used, ['setContext notionMcp.usedInChat true']);
  assert.deepEqual(await connected, ['setContext notionMcp.agentConnected true']);
});
