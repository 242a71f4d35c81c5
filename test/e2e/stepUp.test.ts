import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { finishSignIn, signIn } from './signIn.ts';
import { startMcpServer } from './startMcpServer.ts';
import { useTestbed } from './testbed.ts';

const wiki = 'notion-engineering-wiki';

describe('a tool that needs more access than the account has', { timeout: 150_000 }, async () => {
  const testbed = await useTestbed();
  const { notion, window, consumer } = testbed;

  test('Reconnect of its notification asks for the missing scopes besides the earlier ones, and then the tool works', async () => {
    await signIn(window);
    assert.deepEqual(requestedScopes(), ['default']);
    await startMcpServer(testbed, wiki);
    const name = (await consumer.toolNames()).find((each) => each.includes('notion-fetch')) ?? assert.fail();
    const callTool = async (): Promise<string> => {
      const result = consumer.callTool(name, { id: 'self' }).catch(String);
      await window.dialog.waitFor('Run notion-fetch');
      await window.dialog.click('Yes');
      return result;
    };
    const challenge = 'Bearer error="insufficient_scope", scope="pages:write"';
    notion.fault({ path: '/mcp' }, { kind: 'respond', status: 403, headers: { 'www-authenticate': challenge } });
    assert.match(await callTool(), /pages:write/);
    notion.faults.clear();
    await window.notifications.waitFor(
      'A tool needs more access (pages:write) than Ada Lovelace (Engineering Wiki) has',
    );
    await window.screenshot('43-step-up');
    await window.notifications.click('A tool needs more access', 'Reconnect');
    await finishSignIn(window);
    assert.deepEqual(requestedScopes(), ['default', 'default pages:write']);
    assert.match(await callTool(), /Ada Lovelace/);
  });

  test('a connection test names what the server demands, and its Reconnect asks for it besides what was granted before', async () => {
    const challenge = 'Bearer error="insufficient_scope", scope="users:read"';
    notion.fault({ path: '/mcp' }, { kind: 'respond', status: 403, headers: { 'www-authenticate': challenge } });
    await window.runCommand('Notion MCP: Test Connection');
    await window.notifications.waitFor('asks for more access (users:read) than was allowed');
    notion.faults.clear();
    await window.notifications.click('asks for more access (users:read)', 'Reconnect');
    await finishSignIn(window);
    assert.equal(requestedScopes().at(-1), 'default pages:write users:read');
  });

  test('after an extension reported a rejected token, Reconnect asks for what the server demands of it', async () => {
    await consumer.requestConsent(window, 'Ada Lovelace (Engineering Wiki)');
    const challenge = 'Bearer error="invalid_token", scope="comments:read"';
    notion.fault({ path: '/mcp' }, { kind: 'respond', status: 401, headers: { 'www-authenticate': challenge } });
    await assert.rejects(consumer.callNotion(notion.mcpUrl, 'notion-fetch', { id: 'self' }));
    notion.faults.clear();
    await window.runCommand('Notion MCP: Manage Accounts');
    await window.quickInput.choose('Ada Lovelace (Engineering Wiki)');
    await window.quickInput.choose('Reconnect');
    await finishSignIn(window);
    assert.equal(requestedScopes().at(-1), 'default pages:write users:read comments:read');
  });

  /** The scopes of each authorization request. */
  function requestedScopes(): (string | undefined)[] {
    return notion.requests({ method: 'GET', path: '/authorize' }).map(({ scope }) => scope);
  }
});
