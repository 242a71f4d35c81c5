import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { Secret } from '../../../src/core/secret.ts';
import { callTool } from '../../../src/notion/mcpClient.ts';
import { fails } from '../oauth/failing.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import { html, type Route, startServer } from '../oauth/loopbackServer.ts';

const token = new Secret('user:grant:access');

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
  test(`A14: a stateless server that responds with ${format} receives one request, with the token in the header`, async (t) => {
    const { url, methods, authorizations } = await sdkServer(t, { sessions: false, json });
    const result = await callTool(fetchHttp, url, token, 'echo', { text: 'hi' });
    assert.deepEqual(result, { text: 'you said hi', isError: false });
    assert.deepEqual(methods, ['tools/call']);
    assert.deepEqual([...authorizations], ['Bearer user:grant:access']);
  });

  test(`a server with sessions that responds with ${format} receives the initialize handshake first`, async (t) => {
    const { url, methods } = await sdkServer(t, { sessions: true, json });
    const result = await callTool(fetchHttp, url, token, 'echo', { text: 'hi' });
    assert.equal(result.text, 'you said hi');
    assert.deepEqual(methods, ['tools/call', 'initialize', 'notifications/initialized', 'tools/call']);
  });
}

test('a tool that fails returns a result with isError, and a call of an unknown tool fails', async (t) => {
  const { url } = await sdkServer(t, { sessions: false, json: true });
  assert.deepEqual(await callTool(fetchHttp, url, token, 'echo', { text: 7 }), { text: 'no', isError: true });
  await fails(() => callTool(fetchHttp, url, token, 'nothing', {}), 'serverRejected', { code: 'invalid_params' });
});

async function serverWith(t: TestContext, route: Route) {
  const server = await startServer(t);
  server.routes['POST /mcp'] = route;
  return { ...server, call: () => callTool(fetchHttp, new URL(`${server.origin}/mcp`), token, 'x', {}) };
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
  assert.deepEqual(await call(), { text: 'ab', isError: false, structured: { k: 1 } });
});

test('a call fails after two requests if the server demands a session and then opens none', async (t) => {
  const { call, received } = await serverWith(t, {
    status: 400,
    body: { jsonrpc: '2.0', id: null, error: { code: -32000 } },
  });
  await fails(call, 'invalidResponse', { status: 400 });
  assert.equal(received.length, 2);
});
