import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planConnection, replaceableServers } from '../../../../src/agents/configuration/plan.ts';
import { commandOf, isBridge, isNotionsServer, serversIn } from '../../../../src/agents/configuration/servers.ts';
import { ConnectionsUnderTest } from './connectionsUnderTest.ts';

const otherLauncher = '/home/ada/.config/Cursor/User/globalStorage/seedling.notion-mcp-auth/agents/notion-mcp-bridge';

const notionsServers: Record<string, object> = {
  'over HTTP': { type: 'http', url: 'https://mcp.notion.com/mcp' },
  'over SSE': { type: 'sse', url: 'https://mcp.notion.com/sse' },
  'in Gemini CLI': { httpUrl: 'https://mcp.notion.com/mcp' },
  'in Windsurf': { serverUrl: 'https://mcp.notion.com/mcp' },
  'through mcp-remote': { command: 'npx', args: ['-y', 'mcp-remote', 'https://mcp.notion.com/mcp'] },
  'through mcp-remote in opencode': {
    type: 'local',
    command: ['npx', 'mcp-remote@latest', 'https://mcp.notion.com/sse'],
  },
};

for (const [kind, entry] of Object.entries(notionsServers)) {
  test(`Notion’s own server ${kind} is recognised`, () => {
    assert.ok(isNotionsServer(entry));
    assert.ok(!isBridge(entry));
  });
}

for (const entry of [
  { url: 'https://mcp.notion.com.example/mcp' },
  { url: 'https://example.com/?u=https://mcp.notion.com/mcp' },
  { command: 'notes', args: ['mcp.notion.com'] },
  { command: 7 },
  'text',
  null,
]) {
  test(`${JSON.stringify(entry)} is not taken for Notion’s own server`, () => {
    assert.ok(!isNotionsServer(entry));
  });
}

test('Notion’s own server can be replaced, and goes only if it is to be', async (t) => {
  const under = new ConnectionsUnderTest(t);
  const text = '{"mcpServers":{"notion":{"url":"https://mcp.notion.com/mcp"},"a":{"command":"b"}}}';
  under.write('cursor', text);
  const state = await under.connections.inspect('cursor');
  const launch = under.launch('notion-ada', 'cursor');
  assert.deepEqual(replaceableServers(state, { launch, handle: 'notion-ada' }), [{ name: 'notion', kind: 'notion' }]);
  await under.connect('cursor', 'notion-ada');
  assert.deepEqual([...serversIn(under.read('cursor'), under.row('cursor')).keys()], ['notion', 'a', 'notion-ada']);
  await under.disconnect('cursor');
  await under.connect('cursor', 'notion-ada', ['notion']);
  assert.deepEqual([...serversIn(under.read('cursor'), under.row('cursor')).keys()], ['a', 'notion-ada']);
  await under.disconnect('cursor');
  assert.equal(under.read('cursor'), text);
});

test('a server of our name with another editor’s bridge can be replaced; else ours gets a number', async (t) => {
  const under = new ConnectionsUnderTest(t);
  const theirs = { command: otherLauncher, args: ['--account', 'notion-ada', '--agent', 'cursor'] };
  under.write('cursor', JSON.stringify({ mcpServers: { 'notion-ada': theirs } }));
  const state = await under.connections.inspect('cursor');
  const launch = under.launch('notion-ada', 'cursor');
  assert.deepEqual(replaceableServers(state, { launch, handle: 'notion-ada' }), [
    { name: 'notion-ada', kind: 'otherEditor' },
  ]);
  const keep = planConnection(state, { handle: 'notion-ada', launch }, []);
  assert.equal(keep.name, 'notion-ada-2');
  const replace = planConnection(state, { handle: 'notion-ada', launch }, ['notion-ada']);
  assert.equal(replace.name, 'notion-ada');
  assert.equal(commandOf(serversIn(replace.after, state.row).get('notion-ada'))[0], under.launcher);
  await under.connections.connect(keep);
  await under.connect('cursor');
  assert.deepEqual([...serversIn(under.read('cursor'), state.row).keys()], ['notion-ada', 'notion-ada-2']);
});

test('a server of our name that is no bridge is never touched', async (t) => {
  const under = new ConnectionsUnderTest(t);
  under.write('codex', '[mcp_servers.notion-ada]\ncommand = "mine"\n');
  const state = await under.connections.inspect('codex');
  const launch = under.launch('notion-ada', 'codex');
  assert.deepEqual(replaceableServers(state, { launch, handle: 'notion-ada' }), []);
  assert.equal(planConnection(state, { handle: 'notion-ada', launch }, []).name, 'notion-ada-2');
});
