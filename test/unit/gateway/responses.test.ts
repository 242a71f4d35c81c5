import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { HttpFailure } from '../../../src/http/errors.ts';
import { type GatewayUnderTest, openGateway, rpc } from './gatewayUnderTest.ts';
import { respondWithJson, respondWithResult, ScriptedServer } from './scriptedServer.ts';

const html = '<!doctype html><title>Sign in to the hotel network</title>';

interface Fault {
  name: string;
  respond(response: ServerResponse): void;
  /** The `error.data` that the caller receives. */
  data: Record<string, unknown>;
}

const faults: readonly Fault[] = [
  { name: 'status 400', respond: withStatus(400), data: { kind: 'serverRejected', status: 400 } },
  { name: 'status 401 after a renewal', respond: withStatus(401), data: { kind: 'tokenRejected', status: 401 } },
  { name: 'status 403', respond: withStatus(403), data: { kind: 'serverRejected', status: 403 } },
  {
    name: 'status 403 insufficient_scope',
    respond: withStatus(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="pages write"' }),
    data: { kind: 'insufficientScope', status: 403, scopes: ['pages', 'write'] },
  },
  { name: 'status 404 outside a session', respond: withStatus(404), data: { kind: 'serverRejected', status: 404 } },
  { name: 'status 405', respond: withStatus(405, { allow: 'GET' }), data: { kind: 'serverRejected', status: 405 } },
  { name: 'status 429 without Retry-After', respond: withStatus(429), data: { kind: 'rateLimited', status: 429 } },
  {
    name: 'status 429 with a long Retry-After',
    respond: withStatus(429, { 'retry-after': '60' }),
    data: { kind: 'rateLimited', status: 429, retryAfterSeconds: 60 },
  },
  { name: 'status 500', respond: withStatus(500), data: { kind: 'serverError', status: 500 } },
  { name: 'status 503', respond: withStatus(503), data: { kind: 'serverError', status: 503 } },
  {
    name: 'status 500 with HTML',
    respond: (response) => response.writeHead(500, { 'content-type': 'text/html' }).end(html),
    data: { kind: 'serverError', status: 500 },
  },
  {
    name: 'status 200 with HTML, as from a captive portal,',
    respond: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(html),
    data: { kind: 'invalidResponse', status: 200 },
  },
  {
    name: 'a redirect',
    respond: withStatus(302, { location: 'http://127.0.0.1:1/elsewhere' }),
    data: { kind: 'invalidResponse', status: 302 },
  },
  {
    name: 'status 200 without a body',
    respond: (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(),
    data: { kind: 'invalidResponse', status: 200 },
  },
  { name: 'status 202', respond: withStatus(202), data: { kind: 'invalidResponse', status: 202 } },
  {
    name: 'a response that breaks off',
    respond: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":');
      setImmediate(() => response.destroy());
    },
    data: { kind: 'unreachable', reason: 'unreachable' },
  },
  {
    name: 'a closed connection',
    respond: (response) => void response.destroy(),
    data: { kind: 'unreachable', reason: 'unreachable' },
  },
];

for (const { name, respond, data } of faults) {
  for (const failing of [1, 10]) {
    test(`${name} for message ${failing} reaches the caller as status 200 with a JSON-RPC error`, async (t) => {
      const { server, call } = await open(t);
      let message = 0;
      server.script = (response, received) =>
        message === failing ? respond(response) : respondWithResult(response, received);
      for (message = 1; message < failing; message += 1) {
        await call(rpc(message));
      }
      const { status, body } = await call(rpc(failing));
      assert.equal(status, 200);
      const { id, error } = body as { id: unknown; error: { code: number; message: string; data: unknown } };
      assert.equal(id, failing);
      assert.deepEqual(error.data, data);
      assert.match(error.message, new RegExp(`^sentence for ${data.kind}`));
      assert.ok(error.code <= -32080 && error.code >= -32099);

      message += 1;
      assert.deepEqual(await call(rpc('next')), {
        status: 200,
        body: { jsonrpc: '2.0', id: 'next', result: { method: 'tools/list' } },
      });
    });
  }

  test(`${name} for a notification or a response reaches the caller as 202 without a body`, async (t) => {
    const { server, call } = await open(t);
    server.script = respond;
    const none = { status: 202, body: undefined };
    assert.deepEqual(await call({ jsonrpc: '2.0', method: 'notifications/initialized' }), none);
    assert.deepEqual(await call({ jsonrpc: '2.0', id: 7, result: {} }), none);
  });
}

test('a redirect that the host’s fetch turns into an error is reported like any other redirect', async (t) => {
  const { call } = await openGateway(t, 'https://mcp.example.test/mcp', {
    transport: {
      send: ({ url }) => Promise.reject(new HttpFailure('redirected', url.host)),
      close: async () => undefined,
    },
  });
  const { body } = await call(rpc(1));
  assert.deepEqual((body as { error: { data: unknown } }).error.data, { kind: 'invalidResponse' });
});

test('the error response to a batch is a batch with one error for each request in it', async (t) => {
  const { server, call } = await open(t);
  server.script = withStatus(503);
  const batch = [
    rpc('a'),
    { jsonrpc: '2.0', method: 'notifications/cancelled' },
    rpc(2),
    { jsonrpc: '2.0', id: 9, result: {} },
  ];
  const response = await call(batch);
  assert.equal(response.status, 200);
  assert.deepEqual(
    (response.body as { id: unknown; error: { data: unknown } }[]).map(({ id, error }) => [id, error.data]),
    [
      ['a', { kind: 'serverError', status: 503 }],
      [2, { kind: 'serverError', status: 503 }],
    ],
  );
});

test('the MCP server’s own JSON-RPC error reaches the caller, whatever its HTTP status', async (t) => {
  const { server, call } = await open(t);
  const error = { code: -32601, message: 'Method not found', data: { method: 'tools/lost' } };
  server.script = (response) => respondWithJson(response, 400, { jsonrpc: '2.0', id: null, error });
  assert.deepEqual(await call(rpc(5)), { status: 200, body: { jsonrpc: '2.0', id: 5, error } });
});

// developers.notion.com/guides/mcp/rate-limits; models and clients read the error themselves.
test('a tool’s own error reaches the caller byte for byte', async (t) => {
  const { server, send } = await open(t);
  const error = '{"code": "rate_limited", "retry_after_seconds": 2.50, "rate_limit_reason": "connection"}';
  const content = `[{"type":"text","text":${JSON.stringify(`{"error":${error}}`)}}]`;
  const body = `{"jsonrpc":"2.0", "id":1, "result":{"isError":true,"structuredContent":{"error":${error}},"content":${content}}}`;
  server.script = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  const response = await send({ body: JSON.stringify(rpc(1, 'tools/call')) });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), body);
});

test('a body that is not JSON is forwarded, and the server’s rejection becomes an error with id null', async (t) => {
  const { server, send } = await open(t);
  server.script = withStatus(400);
  const response = await send({ body: '{"jsonrpc":' });
  assert.equal(response.status, 200);
  assert.equal(((await response.json()) as { id: unknown }).id, null);
  assert.equal(server.received.at(-1)?.body, '{"jsonrpc":');
});

test('a 404 for a request in a session reaches the caller, so that it starts a new session', async (t) => {
  const { server, call } = await open(t);
  server.script = (response) =>
    respondWithJson(response, 404, { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'gone' } });
  assert.equal((await call(rpc(1), { 'mcp-session-id': 's' })).status, 404);
});

test('a 405 for a GET reaches the caller, and no other error looks like a request to sign in', async (t) => {
  const { server, send } = await open(t);
  for (const [from, to] of [
    [405, 405],
    [404, 405],
    [403, 405],
    [401, 200],
    [429, 200],
    [503, 200],
  ] as const) {
    server.script = withStatus(from);
    const response = await send({ method: 'GET' });
    assert.equal(response.status, to, `${from}`);
    assert.equal(response.headers.get('www-authenticate'), null);
    assert.equal(await response.text(), to === 200 ? 'retry: 30000\ndata:\n\n' : '');
  }
});

test('a DELETE gets the server’s status, and no error looks like a request to sign in', async (t) => {
  const { server, send } = await open(t);
  for (const [from, to] of [
    [200, 200],
    [204, 204],
    [404, 404],
    [405, 405],
    [401, 502],
    [403, 502],
    [503, 502],
  ] as const) {
    server.script = withStatus(from);
    assert.equal((await send({ method: 'DELETE', headers: { 'mcp-session-id': 's' } })).status, to, `${from}`);
  }
  assert.equal(server.received[0]?.headers['mcp-session-id'], 's');
});

test('a request to an unreachable server gets an error, and requests succeed once the server is back', async (t) => {
  const { server, call } = await open(t);
  const { port } = server;
  await call(rpc(1));
  await server.stop();
  const { body } = await call(rpc(2));
  assert.deepEqual((body as { error: { data: unknown } }).error.data, {
    kind: 'unreachable',
    reason: 'unreachable',
  });
  const restarted = await ScriptedServer.start(port);
  t.after(() => restarted.stop());
  assert.equal((await call(rpc(3))).status, 200);
  assert.equal(restarted.received.length, 1);
});

test('a compressed request gets a 415, as its messages could not be read, and is not forwarded', async (t) => {
  const { server, send } = await open(t);
  const response = await send({ body: gzipSync(JSON.stringify(rpc(1))), headers: { 'content-encoding': 'gzip' } });
  assert.equal(response.status, 415);
  assert.deepEqual(server.received, []);
});

test('a request with an HTTP method that MCP does not use gets a 405 and is not forwarded', async (t) => {
  const { server, send } = await open(t);
  for (const method of ['PUT', 'PATCH', 'HEAD', 'OPTIONS']) {
    assert.equal((await send({ method })).status, 405);
  }
  assert.deepEqual(server.received, []);
});

async function open(t: TestContext): Promise<GatewayUnderTest & { server: ScriptedServer }> {
  const server = await ScriptedServer.start();
  t.after(() => server.stop().catch(() => undefined));
  return { server, ...(await openGateway(t, server.url)) };
}

function withStatus(code: number, headers: Record<string, string> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(code, headers).end();
  };
}
