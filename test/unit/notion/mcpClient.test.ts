import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { Secret } from '../../../src/core/secret.ts';
import { withBearer } from '../../../src/http/bearer.ts';
import { discoverMethod } from '../../../src/mcp/revision.ts';
import { callTool, mcpRequest } from '../../../src/notion/mcpClient.ts';
import { fails } from '../oauth/failing.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import { html, type LoopbackServer, type Route, type RouteResponse, startServer } from '../oauth/loopbackServer.ts';

const http = withBearer(fetchHttp, new Secret('user:grant:access'));

/** The text and the blocks of a result with one text. */
const textOf = (text: string) => ({ text, content: [{ type: 'text', text }] });

/** A server built with the official SDK: one tool, either stateless or with sessions. */
async function sdkServer(t: TestContext, options: { sessions: boolean; json: boolean }) {
  const methods: string[] = [];
  const authorizations = new Set<string | undefined>();
  const connect = async () => {
    const mcp = new Server({ name: 'test', version: '1' }, { capabilities: { tools: {} } });
    mcp.setRequestHandler(CallToolRequestSchema, ({ params: { name, arguments: args } }) => {
      if (name !== 'echo') {
        throw new McpError(ErrorCode.InvalidParams, `Tool ${name} not found`);
      }
      const isError = typeof args?.text !== 'string';
      return { content: [{ type: 'text', text: isError ? 'no' : `you said ${args.text}` }], isError };
    });
    const transport = new StreamableHTTPServerTransport({
      ...(options.sessions && { sessionIdGenerator: randomUUID }),
      enableJsonResponse: options.json,
    });
    // The SDK's own types disagree under exactOptionalPropertyTypes.
    await mcp.connect(transport as Parameters<typeof mcp.connect>[0]);
    return transport;
  };
  const sessionTransport = options.sessions ? await connect() : undefined;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) {
      body += String(chunk);
    }
    const message = JSON.parse(body);
    methods.push(message.method);
    authorizations.add(request.headers.authorization);
    const transport = sessionTransport ?? (await connect());
    await transport.handleRequest(request, response, message);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  return { url, methods, authorizations };
}

for (const json of [true, false]) {
  const format = json ? 'JSON' : 'an event stream';
  test(`A14: a stateless server that responds with ${format} receives one request once its revision is known, with the token in the header`, async (t) => {
    const { url, methods, authorizations } = await sdkServer(t, { sessions: false, json });
    const olderOrigins = new Set<string>();
    for (const expected of [['tools/call', 'tools/call'], ['tools/call']]) {
      methods.length = 0;
      const result = await callTool(http, url, 'echo', { text: 'hi' }, { olderOrigins });
      assert.deepEqual(result, { ...textOf('you said hi'), isError: false });
      assert.deepEqual(methods, expected);
    }
    assert.deepEqual([...authorizations], ['Bearer user:grant:access']);
  });

  test(`a server with sessions that responds with ${format} receives the initialize handshake first`, async (t) => {
    const { url, methods } = await sdkServer(t, { sessions: true, json });
    const olderOrigins = new Set([url.origin]);
    const result = await callTool(http, url, 'echo', { text: 'hi' }, { olderOrigins });
    assert.equal(result.text, 'you said hi');
    assert.deepEqual(methods, ['tools/call', 'initialize', 'notifications/initialized', 'tools/call']);
  });
}

test('a tool that fails returns a result with isError, and a call of an unknown tool fails', async (t) => {
  const { url } = await sdkServer(t, { sessions: false, json: true });
  assert.deepEqual(await callTool(http, url, 'echo', { text: 7 }), { ...textOf('no'), isError: true });
  await fails(() => callTool(http, url, 'nothing', {}), 'serverRejected', { code: 'invalid_params' });
});

async function serverWith(t: TestContext, route: Route) {
  const server = await startServer(t);
  server.routes['POST /mcp'] = route;
  return { ...server, call: () => callTool(http, new URL(`${server.origin}/mcp`), 'x', {}) };
}

const rpc = (response: Record<string, unknown>) => ({ body: { jsonrpc: '2.0', id: 1, ...response } });

for (const [title, route, kind, details] of [
  ['401', { status: 401, body: { error: 'invalid_token' } }, 'serverRejected', { code: 'invalid_token', status: 401 }],
  ['a firewall’s 403 page', { ...html, status: 403 }, 'transient', {}],
  [
    '403 for insufficient scopes',
    { status: 403, body: { error: 'insufficient_scope' } },
    'serverRejected',
    { code: 'insufficient_scope' },
  ],
  [
    '403 and a challenge that names the scopes',
    { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="pages write"' } },
    'serverRejected',
    { code: 'insufficient_scope', scopes: ['pages', 'write'] },
  ],
  [
    '403, a challenge and a JSON-RPC error',
    {
      ...rpc({ error: { code: -32600, message: 'Forbidden' } }),
      status: 403,
      headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
    },
    'serverRejected',
    { code: 'insufficient_scope' },
  ],
  [
    '401 and a challenge that names scopes',
    { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token", scope="read"' } },
    'serverRejected',
    { code: 'invalid_token', scopes: ['read'] },
  ],
  ['429', { status: 429, headers: { 'retry-after': '3' } }, 'transient', { retryAfterMs: 3000 }],
  ['503', { status: 503 }, 'transient', {}],
  ['HTML', html, 'transient', { code: 'html' }],
  ['an empty body', {}, 'invalidResponse', { code: 'no_reply' }],
  ['another id', { body: { jsonrpc: '2.0', id: 2, result: {} } }, 'invalidResponse', { code: 'no_reply' }],
  ['a result that is not an object', rpc({ result: 7 }), 'invalidResponse', { missing: 'result' }],
  [
    'a JSON-RPC error',
    rpc({ error: { code: -32600, message: 'No user:grant:access' } }),
    'serverRejected',
    { code: 'rpc_error', serverReason: 'No [secret]' },
  ],
  [
    'the JSON-RPC error for an unknown tool',
    rpc({ error: { code: -32602, message: 'Tool user:grant:access not found' } }),
    'serverRejected',
    { code: 'invalid_params', serverReason: 'Tool [secret] not found' },
  ],
  [
    'a JSON-RPC internal error',
    rpc({ error: { code: -32603, message: 'Internal error' } }),
    'transient',
    { code: 'rpc_error', serverReason: 'Internal error' },
  ],
  ['a redirect', { status: 307, headers: { location: '/elsewhere' } }, 'unsafe', { code: 'redirected' }],
] as const) {
  test(`an MCP server’s response with ${title} is ${kind}`, async (t) => {
    const { call } = await serverWith(t, route);
    await fails(call, kind, { step: 'identity', ...details });
  });
}

test('an event stream may contain comments, notifications, CRLF and data over several lines', async (t) => {
  const { call } = await serverWith(t, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    body: [
      ': hello',
      'event: message\r\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}',
      'id: 7\r\ndata: {"jsonrpc":"2.0","id":1,\r\ndata: "result":{"content":[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}],"structuredContent":{"k":1}}}',
      '',
    ].join('\r\n\r\n'),
  });
  assert.deepEqual(await call(), {
    text: 'ab',
    content: [{ type: 'text', text: 'a' }, { type: 'image' }, { type: 'text', text: 'b' }],
    isError: false,
    structured: { k: 1 },
  });
});

test('a call fails after three requests if the server speaks an older revision, demands a session and then opens none', async (t) => {
  const { call, received } = await serverWith(t, {
    status: 400,
    body: { jsonrpc: '2.0', id: null, error: { code: -32000 } },
  });
  await fails(call, 'invalidResponse', { status: 400 });
  assert.equal(received.length, 3);
});

/** What the requests to a server said in headers and body. */
const spoken = ({ received }: LoopbackServer) =>
  received.map(({ headers, body }) => {
    const { method, params } = JSON.parse(body);
    return {
      method,
      header: headers['mcp-method'],
      name: headers['mcp-name'],
      version: headers['mcp-protocol-version'],
      inBody: params?._meta?.['io.modelcontextprotocol/protocolVersion'],
    };
  });

test('a request speaks revision 2026-07-28, mirrors its body in headers, and needs no handshake', async (t) => {
  const server = await serverWith(t, rpc({ result: { content: [] } }));
  await server.call();
  assert.deepEqual(spoken(server), [
    { method: 'tools/call', header: 'tools/call', name: 'x', version: '2026-07-28', inBody: '2026-07-28' },
  ]);
});

test('a tool’s name that is no plain header value is mirrored in Base64', async (t) => {
  const server = await serverWith(t, rpc({ result: { content: [] } }));
  const names = ['Hello, 世界', ' padded ', 'line1\nline2', '=?base64?literal?='];
  for (const name of names) {
    await callTool(http, new URL(`${server.origin}/mcp`), name, {});
  }
  assert.deepEqual(
    spoken(server).map(({ name }) => name),
    // The examples of the specification ("Value Encoding").
    ['SGVsbG8sIOS4lueVjA==', 'IHBhZGRlZCA=', 'bGluZTEKbGluZTI=', 'PT9iYXNlNjQ/bGl0ZXJhbD89'].map(
      (encoded) => `=?base64?${encoded}?=`,
    ),
  );
});

/** A server that understands only requests of 2025-06-18, and refuses others with `refusal`. */
const olderServer =
  (refusal: RouteResponse): Route =>
  ({ headers }) =>
    headers['mcp-protocol-version'] === '2025-06-18' ? rpc({ result: { content: [] } }) : refusal;

const rpcError = (status: number, code: number, data?: unknown) => ({
  status,
  ...rpc({ error: { code, message: 'no', ...(data !== undefined && { data }) } }),
});

for (const [title, refusal] of [
  ['400 without a body', { status: 400 }],
  ['404 without a body', { status: 404 }],
  ['400 and a text', { status: 400, body: 'Unsupported MCP-Protocol-Version' }],
  ['400 and an older JSON-RPC error', rpcError(400, -32000)],
  ['200 and "method not found"', rpcError(200, -32601)],
  ['the older revisions that it speaks', rpcError(400, -32022, { supported: ['2025-11-25', '2025-06-18'] })],
] as const) {
  test(`a request is repeated in revision 2025-06-18 if the server responds to 2026-07-28 with ${title}`, async (t) => {
    const server = await serverWith(t, olderServer(refusal));
    await server.call();
    assert.deepEqual(
      spoken(server).map(({ version, inBody }) => [version, inBody]),
      [
        ['2026-07-28', '2026-07-28'],
        ['2025-06-18', undefined],
      ],
    );
  });
}

for (const [title, refusal] of [
  ['a header mismatch', rpcError(400, -32020)],
  ['a missing capability', rpcError(400, -32021)],
  ['only revisions that we do not speak', rpcError(400, -32022, { supported: ['2027-01-01'] })],
  ['an unknown method', rpcError(404, -32601)],
] as const) {
  test(`a request is not repeated in an older revision if a server of 2026-07-28 responds with ${title}`, async (t) => {
    const server = await serverWith(t, refusal);
    await fails(server.call, 'serverRejected', { code: 'rpc_error' });
    assert.equal(server.received.length, 1);
  });
}

test('a server that was updated since is spoken to in revision 2026-07-28 again', async (t) => {
  const server = await serverWith(t, ({ headers }) =>
    headers['mcp-protocol-version'] === '2026-07-28' ? rpc({ result: { tools: [] } }) : rpcError(400, -32022),
  );
  const olderOrigins = new Set([server.origin]);
  const list = () => mcpRequest(http, new URL(`${server.origin}/mcp`), 'tools/list', {}, { olderOrigins });
  await fails(list, 'serverRejected', { code: 'rpc_error' });
  assert.deepEqual(await list(), { tools: [] });
});

test('a server of an older revision is asked what it speaks with initialize', async (t) => {
  const server = await serverWith(t, ({ body }) =>
    JSON.parse(body).method === 'initialize' ? rpc({ result: { serverInfo: {} } }) : rpcError(200, -32601),
  );
  const url = new URL(`${server.origin}/mcp`);
  assert.deepEqual(await mcpRequest(http, url, discoverMethod, {}), { serverInfo: {} });
  assert.deepEqual(
    spoken(server).map(({ method }) => method),
    ['server/discover', 'initialize'],
  );
});
