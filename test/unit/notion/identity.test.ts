import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { withBearer } from '../../../src/http/bearer.ts';
import type { Http } from '../../../src/http/client.ts';
import { displayName, type Identity, readIdentity } from '../../../src/notion/identity.ts';
import { fails } from '../oauth/failing.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import { type Route, startServer } from '../oauth/loopbackServer.ts';
import { accessToken, startToolServer, toolError, toolResult } from './toolServer.ts';

const ada: Identity = {
  userId: 'u-1',
  userName: 'Ada Lovelace',
  userEmail: 'ada@example.com',
  workspaceId: 'w-1',
  workspaceName: 'Engineering Wiki',
};

const bare = {
  workspace: { id: 'w-1', name: 'Engineering Wiki' },
  user: { id: 'u-1', name: 'Ada Lovelace', type: 'person', email: 'ada@example.com' },
  current_tool_access: { search: { status: 'available' } },
};
/**
 * The member `self` is documented (developers.notion.com/guides/mcp/build-mcp-client); other clients recorded the members
 * beside it.
 */
const wrapped = { metadata: { type: 'self' }, title: '', url: '', text: '', self: bare };

test('the identity is read from the member self of notion-fetch’s text with one request', async (t) => {
  const { calls, read } = await startToolServer(t, { 'notion-fetch': toolResult(wrapped) });
  assert.deepEqual(await read(readIdentity), ada);
  assert.deepEqual(calls, [['notion-fetch', { id: 'self' }]]);
});

for (const [title, result] of Object.entries({
  'that is not wrapped in self': toolResult(bare),
  'in structured content': toolResult('see below', { structuredContent: wrapped }),
  'in text beside other structured content': toolResult(wrapped, { structuredContent: { metadata: { type: 'self' } } }),
})) {
  test(`an identity ${title} is read with one request`, async (t) => {
    const { calls, read } = await startToolServer(t, { 'notion-fetch': result });
    assert.deepEqual(await read(readIdentity), ada);
    assert.equal(calls.length, 1);
  });
}

test('an identity without e-mail is complete', async (t) => {
  const { email: _, ...user } = bare.user;
  const { read } = await startToolServer(t, { 'notion-fetch': toolResult({ self: { ...bare, user } }) });
  const { userEmail: __, ...nameless } = ada;
  assert.deepEqual(await read(readIdentity), nameless);
});

// An unknown tool is a JSON-RPC error (openai/codex#34618) or, in newer versions of the MCP SDK, a tool's error.
const unknownTool = { error: { code: -32602, message: 'Tool notion-fetch not found' } };

for (const [title, response] of Object.entries({
  'does not exist': unknownTool,
  'does not exist, which its result says': toolResult('MCP error -32602: Tool notion-fetch not found', {
    isError: true,
  }),
  'is unknown, in the words of the MCP specification': toolResult('Unknown tool: notion-fetch', { isError: true }),
  'does not know “self”': toolError({ code: 'object_not_found', message: 'Could not find page with ID: self.' }),
  'returns something else': toolResult('# A page'),
})) {
  // The prefix is missing for clients that Notion takes for OpenAI's (guides/mcp/mcp-supported-tools).
  test(`the identity is read from fetch if notion-fetch ${title}`, async (t) => {
    const { calls, read } = await startToolServer(t, { 'notion-fetch': response, fetch: toolResult(wrapped) });
    assert.deepEqual(await read(readIdentity), ada);
    assert.deepEqual(calls[1], ['fetch', { id: 'self' }]);
  });
}

test('the identity is read from the MCP SDK’s own server, which has only the tool fetch', async () => {
  const http: Http = async ({ url, method, headers, body }) => {
    const server = new McpServer({ name: 'test', version: '1' });
    server.registerTool('fetch', {}, () => ({ content: [{ type: 'text', text: JSON.stringify(wrapped) }] }));
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    await server.connect(transport);
    const response = await transport.handleRequest(new Request(url, { method, headers, body } as RequestInit));
    return { status: response.status, headers: response.headers, body: await response.text(), url };
  };
  assert.deepEqual(await readIdentity(withBearer(http, accessToken), new URL('https://mcp.example/mcp')), ada);
});

const bot = { workspace_id: 'w-1', workspace_name: 'Engineering Wiki' };
// The user of GET /v1/users/me in Notion's API (developers.notion.com/reference/get-self), whose bot has an owner.
const botUser = {
  object: 'user',
  id: 'bot-1',
  name: 'Claude',
  type: 'bot',
  bot: {
    ...bot,
    owner: {
      type: 'user',
      user: { object: 'user', id: 'u-1', name: 'Ada Lovelace', person: { email: 'ada@example.com' } },
    },
  },
};

for (const [title, content] of Object.entries({
  'in a list': { results: [botUser], has_more: false },
  'by itself': botUser,
})) {
  test(`without a tool that fetches, the identity is the owner of the token’s bot user, ${title}`, async (t) => {
    const { calls, read } = await startToolServer(t, { 'notion-get-users': toolResult(content) });
    assert.deepEqual(await read(readIdentity), ada);
    assert.deepEqual(calls.at(-1), ['notion-get-users', { user_id: 'self' }]);
  });
}

test('the identity is the user with a bot if the bot names no owner, and get-users may lack the prefix', async (t) => {
  const user = { id: 'u-1', name: 'Ada Lovelace', email: 'ada@example.com', bot };
  const { read } = await startToolServer(t, { 'get-users': toolResult({ results: [user] }) });
  assert.deepEqual(await read(readIdentity), ada);
});

test('a tool result without valid ids of user and workspace is not an identity', async (t) => {
  for (const content of [
    {},
    { user: bare.user },
    { workspace: bare.workspace },
    { self: null },
    { self: { user: bare.user } },
    { id: 'page', workspace: bare.workspace },
    { user: { id: '' }, workspace: { id: 'w' } },
    { user: { id: 7 }, workspace: { id: 'w' } },
    { user: { id: 'u'.repeat(201) }, workspace: { id: 'w' } },
    // What notion-get-users returned to a client in 2026: the user without the workspace.
    { results: [{ type: 'person', id: 'u-1', name: 'Ada Lovelace', email: 'ada@example.com' }], has_more: false },
    'null',
  ]) {
    const { read } = await startToolServer(t, {
      'notion-fetch': toolResult(content),
      'notion-get-users': toolResult(content),
    });
    await fails(() => read(readIdentity), 'invalidResponse', { step: 'identity', code: 'no_identity' });
  }
});

test('an identity may lack names, and very long names are cut', async (t) => {
  const content = { self: { user: { id: 'u', name: 'x'.repeat(10_000) }, workspace: { id: 'w', name: null } } };
  const { read } = await startToolServer(t, { 'notion-fetch': toolResult(content) });
  const identity = await read(readIdentity);
  assert.equal(identity.workspaceName, '');
  assert.equal(identity.userName.length, 1000);
});

for (const [title, response, kind, details] of [
  [
    'a rate limit',
    toolError({ code: 'rate_limited', retry_after_seconds: 12, rate_limit_reason: 'connection' }),
    'transient',
    { code: 'rate_limited', retryAfterMs: 12_000 },
  ],
  [
    'a serialization fault',
    toolResult('Expected array, received string', { isError: true }),
    'transient',
    { code: 'server_fault' },
  ],
  ['an error without a code', toolResult('no', { isError: true }), 'transient', { code: 'tool_error' }],
  [
    'a JSON-RPC internal error',
    { error: { code: -32603, message: 'Internal error' } },
    'transient',
    { code: 'rpc_error' },
  ],
  ['a JSON-RPC parse error', { error: { code: -32700 } }, 'serverRejected', { code: 'rpc_error' }],
  [
    'a missing permission',
    toolError({ code: 'restricted_resource', message: 'Insufficient permissions.' }),
    'serverRejected',
    { code: 'tool_error', serverReason: 'Insufficient permissions.' },
  ],
] as const) {
  test(`${title} in response to the identity request is ${kind}, and no other tool is called`, async (t) => {
    const { calls, read } = await startToolServer(t, { 'notion-fetch': response, fetch: toolResult(wrapped) });
    await fails(() => read(readIdentity), kind, { step: 'identity', ...details });
    assert.equal(calls.length, 1);
  });
}

for (const [title, route, kind, details] of [
  ['401', { status: 401 }, 'serverRejected', { code: 'invalid_token' }],
  ['429', { status: 429, headers: { 'retry-after': '3' } }, 'transient', { retryAfterMs: 3_000 }],
  // Notion's API reports service_overload with this status (developers.notion.com/reference/request-limits).
  ['529', { status: 529, headers: { 'retry-after': '9' } }, 'transient', { retryAfterMs: 9_000 }],
  ['503', { status: 503 }, 'transient', {}],
] as const satisfies [string, Route, string, object][]) {
  test(`no other tool is called if the MCP server responds to the identity request with ${title}`, async (t) => {
    const server = await startServer(t);
    server.routes['POST /mcp'] = route;
    await fails(() => readIdentity(withBearer(fetchHttp, accessToken), new URL(`${server.origin}/mcp`)), kind, details);
    assert.equal(server.received.length, 1);
  });
}

test('names are displayed as one short line of plain text', () => {
  assert.equal(displayName(' $(trash)\u202e[x](command:y)\nAda '), '(trash)[x] (command:y) Ada');
  assert.equal(Array.from(displayName('🎉'.repeat(100))).length, 60);
});
