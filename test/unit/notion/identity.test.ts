import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { accountLabel } from '../../../src/grants/names.ts';
import { displayName, type Identity, readIdentity } from '../../../src/notion/identity.ts';
import { fails } from '../oauth/failing.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import { startServer } from '../oauth/loopbackServer.ts';

const ada: Identity = {
  userId: 'u-1',
  userName: 'Ada Lovelace',
  userEmail: 'ada@example.com',
  workspaceId: 'w-1',
  workspaceName: 'Engineering Wiki',
};

const self = {
  workspace: { id: 'w-1', name: 'Engineering Wiki' },
  user: { id: 'u-1', name: 'Ada Lovelace', type: 'person', email: 'ada@example.com' },
  current_tool_access: { 'notion-search': { status: 'available' } },
};

/** An MCP server with a table of JSON-RPC responses by tool. */
async function toolServer(t: TestContext, responses: Record<string, Record<string, unknown>>) {
  const server = await startServer(t);
  const calls: [tool: string, args: unknown][] = [];
  server.routes['POST /mcp'] = ({ body }) => {
    const { id, params } = JSON.parse(body);
    calls.push([params.name, params.arguments]);
    const response = responses[params.name] ?? { error: { code: -32602, message: `Tool ${params.name} not found` } };
    return { body: { jsonrpc: '2.0', id, ...response } };
  };
  const read = () => readIdentity(fetchHttp, new URL(`${server.origin}/mcp`), new Secret('t'));
  return { ...server, calls, read };
}

const toolResult = (value: unknown, more: Record<string, unknown> = {}) => ({
  result: { content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }], ...more },
});

test('the identity is read from notion-fetch self with one request', async (t) => {
  const { calls, read } = await toolServer(t, { 'notion-fetch': toolResult(self) });
  assert.deepEqual(await read(), ada);
  assert.deepEqual(calls, [['notion-fetch', { id: 'self' }]]);
});

test('an identity in structured content is read as well', async (t) => {
  const { read } = await toolServer(t, { 'notion-fetch': toolResult('see below', { structuredContent: self }) });
  assert.deepEqual(await read(), ada);
});

for (const [title, response] of Object.entries({
  'does not exist': { error: { code: -32602, message: 'Tool notion-fetch not found' } },
  fails: toolResult('no', { isError: true }),
  'returns something else': toolResult('# A page'),
})) {
  test(`notion-get-users is called if notion-fetch ${title}`, async (t) => {
    const user = { id: 'u-1', name: 'Ada', bot: { workspace_id: 'w-1', workspace_name: 'Wiki' } };
    const { calls, read } = await toolServer(t, {
      'notion-fetch': response,
      'notion-get-users': toolResult({ results: [user] }),
    });
    assert.deepEqual(await read(), { userId: 'u-1', userName: 'Ada', workspaceId: 'w-1', workspaceName: 'Wiki' });
    assert.deepEqual(calls[1], ['notion-get-users', { user_id: 'self' }]);
  });
}

test('a tool result without valid ids of user and workspace is not an identity', async (t) => {
  for (const content of [
    {},
    { user: self.user },
    { workspace: self.workspace },
    { user: { id: '' }, workspace: { id: 'w' } },
    { user: { id: 7 }, workspace: { id: 'w' } },
    { user: { id: 'u'.repeat(201) }, workspace: { id: 'w' } },
    'null',
  ]) {
    const { read } = await toolServer(t, {
      'notion-fetch': toolResult(content),
      'notion-get-users': toolResult(content),
    });
    await fails(read, 'invalidResponse', { step: 'identity', code: 'no_identity' });
  }
});

test('an identity may lack names, and very long names are cut', async (t) => {
  const content = { user: { id: 'u', name: 'x'.repeat(10_000) }, workspace: { id: 'w', name: null } };
  const { read } = await toolServer(t, { 'notion-fetch': toolResult(content) });
  const identity = await read();
  assert.equal(identity.workspaceName, '');
  assert.equal(identity.userName.length, 1000);
});

test('no other tool is called if the MCP server responds to the identity request with 503', async (t) => {
  const server = await startServer(t);
  server.routes['POST /mcp'] = { status: 503 };
  await fails(() => readIdentity(fetchHttp, new URL(`${server.origin}/mcp`), new Secret('t')), 'transient');
  assert.equal(server.received.length, 1);
});

test('names are displayed as one short line of plain text', () => {
  assert.equal(displayName(' $(trash)\u202e[x](command:y)\nAda '), '(trash)[x] (command:y) Ada');
  assert.equal(Array.from(displayName('🎉'.repeat(100))).length, 60);
});

test('an account label consists of user and workspace, and omits what is missing', () => {
  const label = (more: Partial<Identity>) => accountLabel({ ...ada, ...more }, new Set());
  assert.equal(label({}), 'Ada Lovelace (Engineering Wiki)');
  assert.equal(label({ userName: '\u200b' }), 'ada@example.com (Engineering Wiki)');
  assert.equal(label({ userName: '', userEmail: '' }), 'Notion user (Engineering Wiki)');
  assert.equal(label({ workspaceName: ' ' }), 'Ada Lovelace');
  assert.equal(accountLabel(undefined, new Set()), 'Notion account');
});

test('account labels are made unique by e-mail address first, then by number', () => {
  const taken = new Set<string>();
  const labels = [ada, ada, ada, ada, undefined, undefined].map((identity) => {
    const label = accountLabel(identity, taken);
    taken.add(label);
    return label;
  });
  assert.deepEqual(labels, [
    'Ada Lovelace (Engineering Wiki)',
    'Ada Lovelace (Engineering Wiki) · ada@example.com',
    'Ada Lovelace (Engineering Wiki) · 2',
    'Ada Lovelace (Engineering Wiki) · 3',
    'Notion account',
    'Notion account · 2',
  ]);
});
