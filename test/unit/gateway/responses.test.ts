import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type GatewayUnderTest, openGateway, rpc } from './gatewayUnderTest.ts';
import { answerJson, answerResult, ScriptedServer } from './scriptedServer.ts';

const html = '<!doctype html><title>Sign in to the hotel network</title>';

interface Fault {
  name: string;
  answer(response: ServerResponse): void;
  /** What the caller of a request finds in `error.data`. */
  data: Record<string, unknown>;
}

const faults: readonly Fault[] = [
  { name: '400', answer: status(400), data: { kind: 'serverRejected', status: 400 } },
  { name: '401 after a renewal', answer: status(401), data: { kind: 'tokenRejected', status: 401 } },
  { name: '403', answer: status(403), data: { kind: 'serverRejected', status: 403 } },
  {
    name: '403 insufficient_scope',
    answer: status(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="pages write"' }),
    data: { kind: 'insufficientScope', status: 403, scopes: ['pages', 'write'] },
  },
  { name: '404 outside a session', answer: status(404), data: { kind: 'serverRejected', status: 404 } },
  { name: '405', answer: status(405, { allow: 'GET' }), data: { kind: 'serverRejected', status: 405 } },
  { name: '429 without Retry-After', answer: status(429), data: { kind: 'rateLimited', status: 429 } },
  {
    name: '429 with a long Retry-After',
    answer: status(429, { 'retry-after': '60' }),
    data: { kind: 'rateLimited', status: 429, retryAfterSeconds: 60 },
  },
  { name: '500', answer: status(500), data: { kind: 'serverError', status: 500 } },
  { name: '503', answer: status(503), data: { kind: 'serverError', status: 503 } },
  {
    name: '500 in HTML',
    answer: (response) => response.writeHead(500, { 'content-type': 'text/html' }).end(html),
    data: { kind: 'serverError', status: 500 },
  },
  {
    name: '200 in HTML, as a captive portal answers',
    answer: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(html),
    data: { kind: 'invalidResponse', status: 200 },
  },
  {
    name: 'a redirect',
    answer: status(302, { location: 'http://127.0.0.1:1/elsewhere' }),
    data: { kind: 'invalidResponse', status: 302 },
  },
  {
    name: '200 without a body',
    answer: (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(),
    data: { kind: 'invalidResponse', status: 200 },
  },
  { name: '202 to a request', answer: status(202), data: { kind: 'invalidResponse', status: 202 } },
  {
    name: 'an answer that breaks off',
    answer: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":');
      setImmediate(() => response.destroy());
    },
    data: { kind: 'unreachable' },
  },
  { name: 'no answer', answer: (response) => void response.destroy(), data: { kind: 'unreachable' } },
];

for (const { name, answer, data } of faults) {
  for (const failing of [1, 10]) {
    test(`${name} on message ${failing} reaches the caller as status 200 with an error for its request`, async (t) => {
      const { server, call } = await open(t);
      let message = 0;
      server.script = (response, received) =>
        message === failing ? answer(response) : answerResult(response, received);
      for (message = 1; message < failing; message += 1) {
        await call(rpc(message));
      }
      const reply = await call(rpc(failing));
      assert.equal(reply.status, 200);
      const { id, error } = reply.answer as { id: unknown; error: { code: number; message: string; data: unknown } };
      assert.equal(id, failing);
      assert.deepEqual(error.data, data);
      assert.match(error.message, new RegExp(`^sentence for ${data.kind}`));
      assert.ok(error.code <= -32080 && error.code >= -32099);

      message += 1;
      assert.deepEqual(await call(rpc('next')), {
        status: 200,
        answer: { jsonrpc: '2.0', id: 'next', result: { method: 'tools/list' } },
      });
    });
  }

  test(`${name} to a notification or a response reaches the caller as 202 without a body`, async (t) => {
    const { server, call } = await open(t);
    server.script = answer;
    const none = { status: 202, answer: undefined };
    assert.deepEqual(await call({ jsonrpc: '2.0', method: 'notifications/initialized' }), none);
    assert.deepEqual(await call({ jsonrpc: '2.0', id: 7, result: {} }), none);
  });
}

test('a batch is answered by a batch that leaves out what is no request', async (t) => {
  const { server, call } = await open(t);
  server.script = status(503);
  const batch = [
    rpc('a'),
    { jsonrpc: '2.0', method: 'notifications/cancelled' },
    rpc(2),
    { jsonrpc: '2.0', id: 9, result: {} },
  ];
  const { status: answered, answer } = await call(batch);
  assert.equal(answered, 200);
  assert.deepEqual(
    (answer as { id: unknown; error: { data: unknown } }[]).map(({ id, error }) => [id, error.data]),
    [
      ['a', { kind: 'serverError', status: 503 }],
      [2, { kind: 'serverError', status: 503 }],
    ],
  );
});

test('what the server says in a JSON-RPC error is kept, whatever its status', async (t) => {
  const { server, call } = await open(t);
  const error = { code: -32601, message: 'Method not found', data: { method: 'tools/lost' } };
  server.script = (response) => answerJson(response, 400, { jsonrpc: '2.0', id: null, error });
  assert.deepEqual(await call(rpc(5)), { status: 200, answer: { jsonrpc: '2.0', id: 5, error } });
});

test('a body that is not JSON is judged by the server, and its refusal bears the id null', async (t) => {
  const { server, send } = await open(t);
  server.script = status(400);
  const response = await send({ body: '{"jsonrpc":' });
  assert.equal(response.status, 200);
  assert.equal(((await response.json()) as { id: unknown }).id, null);
  assert.equal(server.received.at(-1)?.body, '{"jsonrpc":');
});

test('404 to a request of a session passes, so that callers begin a new session', async (t) => {
  const { server, call } = await open(t);
  server.script = (response) =>
    answerJson(response, 404, { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'gone' } });
  assert.equal((await call(rpc(1), { 'mcp-session-id': 's' })).status, 404);
});

test('405 to a GET passes, and no other refusal looks like a wish for a sign-in', async (t) => {
  const { server, send } = await open(t);
  for (const [from, to] of [
    [405, 405],
    [404, 405],
    [403, 405],
    [401, 200],
    [429, 200],
    [503, 200],
  ] as const) {
    server.script = status(from);
    const response = await send({ method: 'GET' });
    assert.equal(response.status, to, `${from}`);
    assert.equal(response.headers.get('www-authenticate'), null);
    assert.equal(await response.text(), to === 200 ? 'retry: 30000\ndata:\n\n' : '');
  }
});

test('a DELETE ends a session as the server answers it, and troubles are no wish for a sign-in', async (t) => {
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
    server.script = status(from);
    assert.equal((await send({ method: 'DELETE', headers: { 'mcp-session-id': 's' } })).status, to, `${from}`);
  }
  assert.equal(server.received[0]?.headers['mcp-session-id'], 's');
});

test('a server that cannot be reached is an error for the request, and works again when it is back', async (t) => {
  const { server, call } = await open(t);
  const { port } = server;
  await call(rpc(1));
  await server.stop();
  const { answer } = await call(rpc(2));
  assert.deepEqual((answer as { error: { data: unknown } }).error.data, { kind: 'unreachable' });
  const again = await ScriptedServer.start(port);
  t.after(() => again.stop());
  assert.equal((await call(rpc(3))).status, 200);
  assert.equal(again.received.length, 1);
});

test('events that break off end with an error for the request, unless a session lets the caller resume them', async (t) => {
  const { server, send } = await open(t);
  server.script = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"jsonrpc":"2.0","meth');
    setImmediate(() => response.destroy());
  };
  const text = await (await send({ body: JSON.stringify(rpc(3)) })).text();
  const [broken = '', last = ''] = text.split('\n\n');
  assert.equal(broken, 'data: {"jsonrpc":"2.0","meth\nevent: brokenOff');
  assert.equal(JSON.parse(last.replace('data: ', '')).id, 3);

  const inSession = await send({ body: JSON.stringify(rpc(4)), headers: { 'mcp-session-id': 's' } });
  await assert.rejects(inSession.text());
});

test('only a method of MCP reaches the server', async (t) => {
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

function status(code: number, headers: Record<string, string> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(code, headers).end();
  };
}
