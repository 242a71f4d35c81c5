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

/** An MCP server whose tools are a table of JSON-RPC replies. */
async function tools(t: TestContext, replies: Record<string, Record<string, unknown>>) {
  const server = await startServer(t);
  const calls: [tool: string, args: unknown][] = [];
  server.routes['POST /mcp'] = ({ body }) => {
    const { id, params } = JSON.parse(body);
    calls.push([params.name, params.arguments]);
    const reply = replies[params.name] ?? { error: { code: -32602, message: `Tool ${params.name} not found` } };
    return { body: { jsonrpc: '2.0', id, ...reply } };
  };
  const read = () => readIdentity(fetchHttp, new URL(`${server.origin}/mcp`), new Secret('t'));
  return { ...server, calls, read };
}

const said = (value: unknown, more: Record<string, unknown> = {}) => ({
  result: { content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }], ...more },
});

test('the identity is what notion-fetch says of self, in one request', async (t) => {
  const { calls, read } = await tools(t, { 'notion-fetch': said(self) });
  assert.deepEqual(await read(), ada);
  assert.deepEqual(calls, [['notion-fetch', { id: 'self' }]]);
});

test('structured content is read as well', async (t) => {
  const { read } = await tools(t, { 'notion-fetch': said('see below', { structuredContent: self }) });
  assert.deepEqual(await read(), ada);
});

for (const [title, reply] of Object.entries({
  'is unknown': { error: { code: -32602, message: 'Tool notion-fetch not found' } },
  fails: said('no', { isError: true }),
  'says something else': said('# A page'),
})) {
  test(`notion-get-users is asked when notion-fetch ${title}`, async (t) => {
    const user = { id: 'u-1', name: 'Ada', bot: { workspace_id: 'w-1', workspace_name: 'Wiki' } };
    const { calls, read } = await tools(t, { 'notion-fetch': reply, 'notion-get-users': said({ results: [user] }) });
    assert.deepEqual(await read(), { userId: 'u-1', userName: 'Ada', workspaceId: 'w-1', workspaceName: 'Wiki' });
    assert.deepEqual(calls[1], ['notion-get-users', { user_id: 'self' }]);
  });
}

test('an identity without ids is none', async (t) => {
  for (const answer of [
    {},
    { user: self.user },
    { workspace: self.workspace },
    { user: { id: '' }, workspace: { id: 'w' } },
    { user: { id: 7 }, workspace: { id: 'w' } },
    { user: { id: 'u'.repeat(201) }, workspace: { id: 'w' } },
    'null',
  ]) {
    const { read } = await tools(t, { 'notion-fetch': said(answer), 'notion-get-users': said(answer) });
    await fails(read, 'invalidResponse', { step: 'identity', code: 'no_identity' });
  }
});

test('without names there is an identity all the same, and huge names are not kept whole', async (t) => {
  const answer = { user: { id: 'u', name: 'x'.repeat(10_000) }, workspace: { id: 'w', name: null } };
  const { read } = await tools(t, { 'notion-fetch': said(answer) });
  const identity = await read();
  assert.equal(identity.workspaceName, '');
  assert.equal(identity.userName.length, 1000);
});

test('a server in trouble is not asked for another tool', async (t) => {
  const server = await startServer(t);
  server.routes['POST /mcp'] = { status: 503 };
  await fails(() => readIdentity(fetchHttp, new URL(`${server.origin}/mcp`), new Secret('t')), 'transient');
  assert.equal(server.received.length, 1);
});

test('names are shown as one short line of plain text', () => {
  assert.equal(displayName(' $(trash)\u202e[x](command:y)\nAda '), '(trash)[x] (command:y) Ada');
  assert.equal(Array.from(displayName('🎉'.repeat(100))).length, 60);
});

test('a label is user and workspace, and what is missing is left out', () => {
  const label = (more: Partial<Identity>) => accountLabel({ ...ada, ...more }, new Set());
  assert.equal(label({}), 'Ada Lovelace (Engineering Wiki)');
  assert.equal(label({ userName: '\u200b' }), 'ada@example.com (Engineering Wiki)');
  assert.equal(label({ userName: '', userEmail: '' }), 'Notion user (Engineering Wiki)');
  assert.equal(label({ workspaceName: ' ' }), 'Ada Lovelace');
  assert.equal(accountLabel(undefined, new Set()), 'Notion account');
});

test('labels are unique: by e-mail first, then by number', () => {
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
