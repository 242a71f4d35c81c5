import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { signIn, useAgentTestbed } from '../agents/agentHosts.ts';
import { assertNoAgentLeaks } from '../agents/agentLeaks.ts';

const self = { tool: /notion-fetch$/, input: { id: 'self' } };

describe('Copilot as an agent of its own, whose program comes with the editor', { timeout: 150_000 }, async () => {
  const testbed = await useAgentTestbed();
  const { notion, editor, chat, home } = testbed;
  await signIn(testbed);

  test('an agent outside of the extension host calls a tool of Notion, also after the access token was invalidated, and leaves no secret behind', async () => {
    await chat.open('copilotcli');
    const { offered, results } = await chat.send(self);
    assert.ok(
      offered.some((name) => name.endsWith('notion-search')),
      offered.join(),
    );
    assert.match(results.join(), /Ada Lovelace/);
    await notion.expireAccessTokens();
    assert.match((await chat.send(self)).results.join(), /Ada Lovelace/);
    await assertNoAgentLeaks(editor, home);
  });
});
