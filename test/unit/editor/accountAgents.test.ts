import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Account } from '../../../src/accounts/registry.ts';
import { ConsentUnderTest } from '../agents/consentUnderTest.ts';
import { openEditor } from './vscode.ts';

const { agentChoices } = await import('../../../src/editor/accountAgents.ts');
const { offerMcpServerSetting } = await import('../../../src/editor/settings.ts');

const handle = 'notion-engineering-wiki';
const account = { grant: { label: 'Ada (Engineering Wiki)', serverNames: { handle, title: '' } } } as Account;

async function open(t: TestContext) {
  const editor = openEditor();
  const installation = new ConsentUnderTest(t);
  const consent = await installation.window();
  const state = { reopened: 0 };
  const reopen = async (): Promise<void> => {
    state.reopened += 1;
  };
  const { clock } = installation;
  const choices = () => agentChoices({ consent, clock }, account, reopen);
  const rows = () => choices().map(({ label, description }) => [label, description]);
  return { editor, installation, consent, choices, rows, state, clock };
}

function timeOf(atMs: number): string {
  return new Date(atMs).toLocaleString('en', { hour: 'numeric', minute: '2-digit' });
}

test('Offer in chat tells its state and when chat last used the account, and switches it', async (t) => {
  const { consent, choices, rows, state, clock } = await open(t);
  assert.deepEqual(rows(), [['Offer in chat: on', 'not used in chat yet']]);
  consent.recordUse(handle, 'editor');
  await choices()[0]?.act();
  assert.equal(consent.isOffered(handle), false);
  assert.deepEqual(rows(), [['Offer in chat: off', `last used in chat today ${timeOf(clock.nowMs())}`]]);
  await choices()[0]?.act();
  assert.equal(consent.isOffered(handle), true);
  assert.equal(state.reopened, 2);
});

test('Offer in chat leads to the setting while nothing is offered in chat', async (t) => {
  const { editor, consent, choices, rows } = await open(t);
  editor.settings.set(offerMcpServerSetting, false);
  assert.deepEqual(rows(), [['Offer in chat: off for all accounts', 'chat does not get its tools']]);
  await choices()[0]?.act();
  assert.equal(await editor.executed.take(), `workbench.action.openSettings @id:${offerMcpServerSetting}`);
  assert.equal(consent.isOffered(handle), true);
});

test('Used by names the agents that may use the account, the last one first, with the time of the last call', async (t) => {
  const { consent, rows, clock } = await open(t);
  await consent.allow(handle, 'claude-code');
  await consent.allow(handle, 'codex');
  await consent.deny(handle, 'gemini');
  consent.recordUse(handle, 'codex');
  assert.equal(rows()[1]?.[0], `Used by: Codex (today ${timeOf(clock.nowMs())}), Claude Code`);
});

test('an agent’s access is withdrawn and given again from the list of agents', async (t) => {
  const { editor, consent, choices, rows, state } = await open(t);
  await consent.allow(handle, 'codex');
  for (const [label, permission, row] of [
    ['Withdraw the access of Codex', 'denied', 'Used by no agent'],
    ['Allow Codex', 'allowed', 'Used by: Codex'],
  ] as const) {
    const acting = choices()[1]?.act();
    const list = await editor.quickPicks.take();
    assert.equal(list.text, `Agents that use Ada (Engineering Wiki) [${label}]`);
    list.pick(label);
    await acting;
    assert.equal(consent.permission(handle, 'codex'), permission);
    assert.equal(rows()[1]?.[0], row);
  }
  assert.equal(state.reopened, 2);
  const acting = choices()[1]?.act();
  (await editor.quickPicks.take()).pick();
  await acting;
  assert.equal(consent.permission(handle, 'codex'), 'allowed');
});

test('an account that has no name for programs yet, or a host that no agent can reach, shows nothing of agents', async (t) => {
  const { consent, clock } = await open(t);
  const unnamed = { grant: { label: 'Notion account' } } as Account;
  const reopen = async (): Promise<void> => undefined;
  assert.deepEqual(agentChoices({ consent, clock }, unnamed, reopen), []);
  assert.deepEqual(agentChoices({ consent: undefined, clock }, account, reopen), []);
});
