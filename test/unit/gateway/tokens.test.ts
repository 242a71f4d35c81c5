import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { Upstream } from '../../../src/http/transport.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { FakeClock } from '../fakeClock.ts';
import { type GatewayUnderTest, openGateway, rpc } from './gatewayUnderTest.ts';
import { answerResult, ScriptedServer } from './scriptedServer.ts';

test('each request carries the account’s token of that moment, and nothing of the caller’s own', async (t) => {
  const { server, accounts, call, gateway } = await open(t);
  await call(rpc(1), { cookie: 'a=b', forwarded: 'for=1.2.3.4', 'x-forwarded-for': '1.2.3.4', 'x-anything': 'else' });
  accounts.add('ada', server.url, 'next');
  await call(rpc(2));
  assert.deepEqual(
    server.received.map(({ headers }) => headers.authorization),
    ['Bearer token', 'Bearer next'],
  );
  const sent = JSON.stringify(server.received);
  assert.ok(!sent.includes(gateway.secretFor('ada').reveal()));
  assert.deepEqual(
    Object.keys(server.received[0]?.headers ?? {}).sort(),
    ['accept', 'authorization', 'connection', 'content-length', 'content-type', 'host', 'user-agent'].sort(),
  );
});

test('MCP’s own headers pass both ways', async (t) => {
  const { server, send } = await open(t);
  server.script = (response, received) => {
    response.setHeader('mcp-session-id', 'session');
    response.setHeader('set-cookie', 'a=b');
    response.setHeader('www-authenticate', 'Bearer');
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('x-anything', 'else');
    answerResult(response, received);
  };
  const headers = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-session-id': 'session',
    'mcp-method': 'tools/list',
    'last-event-id': '7',
  };
  const response = await send({ body: JSON.stringify(rpc(1)), headers });
  const { received } = server;
  for (const [name, value] of Object.entries(headers)) {
    assert.equal(received[0]?.headers[name], value);
  }
  assert.deepEqual([...response.headers.keys()].sort(), [
    'connection',
    'content-length',
    'content-type',
    'date',
    'keep-alive',
    'mcp-session-id',
  ]);
});

test('a rejected token is renewed and the request sent again, unnoticed by the caller', async (t) => {
  const { server, accounts, call, told } = await open(t);
  server.script = (response, received) => {
    if (received.headers.authorization === 'Bearer token') {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
    } else {
      answerResult(response, received);
    }
  };
  const { status, answer } = await call(rpc(1));
  assert.equal(status, 200);
  assert.deepEqual(answer, { jsonrpc: '2.0', id: 1, result: { method: 'tools/list' } });
  assert.deepEqual(accounts.rejected, ['token']);
  assert.deepEqual(
    server.received.map(({ headers, body }) => [headers.authorization, body]),
    ['Bearer token', 'Bearer token+'].map((authorization) => [authorization, JSON.stringify(rpc(1))]),
  );
  assert.deepEqual(told, []);
});

test('a token that is rejected again is not renewed again for the same request', async (t) => {
  const { server, accounts, call } = await open(t);
  server.script = (response) => response.writeHead(401).end();
  await call(rpc(1));
  assert.deepEqual(accounts.rejected, ['token']);
  assert.equal(server.received.length, 2);
});

test('an account that needs a sign-in is an error for each call and one message to the person, until it was well again', async (t) => {
  const { server, accounts, call, told } = await open(t);
  const { fresh } = accounts;
  const over = new Failure('invalidGrant', { step: 'token', code: 'invalid_grant' });
  accounts.fresh = () => Promise.reject(over);
  for (const id of [1, 2, 3]) {
    const { answer, status } = await call(rpc(id));
    assert.equal(status, 200);
    assert.deepEqual((answer as { error: { data: unknown } }).error.data, { kind: 'signInNeeded' });
  }
  assert.deepEqual(server.received, []);
  assert.deepEqual(told, ['signInNeeded ada']);
  accounts.fresh = fresh;
  await call(rpc(4));
  accounts.fresh = () => Promise.reject(over);
  await call(rpc(5));
  assert.deepEqual(told, ['signInNeeded ada', 'signInNeeded ada']);
});

test('a renewal that fails says why, and only its end is a matter for the person', async (t) => {
  const { server, accounts, call, told } = await open(t);
  server.script = (response) => response.writeHead(401).end();
  const kinds = {
    transient: 'unreachable',
    invalidResponse: 'renewalFailed',
    serverRejected: 'renewalFailed',
    unsafe: 'renewalFailed',
    invalidGrant: 'signInNeeded',
    invalidClient: 'signInNeeded',
  } as const;
  for (const [failure, kind] of Object.entries(kinds) as [keyof typeof kinds, string][]) {
    accounts.renew = () => Promise.reject(new Failure(failure, { step: 'token', code: 'code' }));
    const { answer } = await call(rpc(1));
    assert.deepEqual((answer as { error: { data: unknown } }).error.data, { kind });
    assert.deepEqual(told, kind === 'signInNeeded' ? ['signInNeeded ada'] : []);
  }
});

test('a mistake of ours is an error for the request, and its text stays here', async (t) => {
  const { accounts, call } = await open(t);
  accounts.fresh = () => Promise.reject(new TypeError('token is undefined'));
  const { status, answer } = await call(rpc(1));
  assert.equal(status, 200);
  assert.deepEqual(answer, {
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32603, message: 'sentence for internal', data: { kind: 'internal' } },
  });
});

test('an account that was signed out is an error for the request, and nothing is sent', async (t) => {
  const { server, accounts, call, send, told } = await open(t);
  accounts.grants.clear();
  const { answer } = await call(rpc(1));
  assert.deepEqual((answer as { error: { data: unknown } }).error.data, { kind: 'signedOut' });
  assert.equal((await send({ method: 'GET' })).status, 405);
  assert.deepEqual(server.received, []);
  assert.deepEqual(told, []);
});

test('missing scopes are told to the person once, by name', async (t) => {
  const { server, call, told } = await open(t);
  server.script = (response) => {
    const challenge = 'Bearer error="insufficient_scope", scope="pages write"';
    response.writeHead(403, { 'www-authenticate': challenge }).end();
  };
  await call(rpc(1));
  await call(rpc(2));
  assert.deepEqual(told, ['insufficientScope ada pages write']);
});

test('a token goes to its account’s server and to no other', async (t) => {
  const { server, accounts, gateway, send } = await open(t);
  const other = await ScriptedServer.start();
  t.after(() => other.stop());
  accounts.add('grace', other.url, 'other');
  gateway.secretFor('grace');
  await send({ body: JSON.stringify(rpc(1)), grantId: 'grace' });
  await send({ body: JSON.stringify(rpc(1)) });
  assert.deepEqual(
    [server, other].map(({ received }) => received.map(({ headers }) => headers.authorization)),
    [['Bearer token'], ['Bearer other']],
  );
});

test('a token never goes in clear to another machine', async (t) => {
  const asked: URL[] = [];
  const upstream: Upstream = {
    send: async ({ url }) => {
      asked.push(url);
      return { status: 202, headers: {}, read: async () => undefined, cancel: () => undefined };
    },
    close: async () => undefined,
  };
  const { accounts, call } = await openGateway(t, 'https://mcp.example.test/mcp', { upstream });
  await call(rpc(1));
  accounts.add('ada', 'http://mcp.example.test/mcp', 'token');
  const { answer } = await call(rpc(2));
  assert.deepEqual((answer as { error: { data: unknown } }).error.data, { kind: 'unreachable' });
  assert.deepEqual(
    asked.map(({ protocol }) => protocol),
    ['https:'],
  );
});

test('a server that asks for a short pause gets it, and the same request after it', async (t) => {
  const clock = new NoticedClock();
  const { server, call } = await open(t, clock);
  server.script = (response, received, number) => {
    if (number === 1) {
      response.writeHead(429, { 'retry-after': '10' }).end();
    } else {
      answerResult(response, received);
    }
  };
  const [[delayMs], { answer }] = await Promise.all([
    once(clock.started, 'timer').then((event) => {
      assert.equal(server.received.length, 1);
      clock.advance(10_000);
      return event;
    }),
    call(rpc(1)),
  ]);
  assert.equal(delayMs, 10_000);
  assert.deepEqual(answer, { jsonrpc: '2.0', id: 1, result: { method: 'tools/list' } });
});

test('a second refusal to hurry is told to the caller with its pause', async (t) => {
  const clock = new NoticedClock();
  const { server, call } = await open(t, clock);
  server.script = (response) => response.writeHead(429, { 'retry-after': '3' }).end();
  clock.started.once('timer', () => clock.advance(3_000));
  const { answer } = await call(rpc(1));
  assert.equal(server.received.length, 2);
  assert.deepEqual((answer as { error: unknown }).error, {
    code: -32086,
    message: 'sentence for rateLimited 3 s',
    data: { kind: 'rateLimited', status: 429, retryAfterSeconds: 3 },
  });
});

test('a caller who leaves during a pause is not sent for', async (t) => {
  const clock = new NoticedClock();
  const { server, send } = await open(t, clock);
  server.script = (response) => response.writeHead(429, { 'retry-after': '3' }).end();
  const caller = new AbortController();
  clock.started.once('timer', () => caller.abort());
  const cancelled = once(clock.started, 'cancelled');
  await assert.rejects(send({ body: JSON.stringify(rpc(1)), signal: caller.signal }));
  await cancelled;
  assert.equal(clock.pendingTimers, 0);
  assert.equal(server.received.length, 1);
});

test('no token, secret or path gets into the log', async (t) => {
  const { server, accounts, call, gateway, logged } = await open(t);
  accounts.add('ada', server.url, '12345:access');
  server.script = (response) => response.writeHead(401).end();
  await call(rpc(1));
  assert.ok(logged.length > 0);
  for (const secret of ['12345:access', gateway.secretFor('ada').reveal(), '/mcp']) {
    assert.ok(!logged.join('\n').includes(secret), secret);
  }
});

/** Says when a timer begins and when it is cancelled. */
class NoticedClock extends FakeClock {
  readonly started = new EventEmitter();

  override after(delayMs: number, action: () => void): () => void {
    const cancel = super.after(delayMs, action);
    setImmediate(() => this.started.emit('timer', delayMs));
    return () => {
      cancel();
      this.started.emit('cancelled');
    };
  }
}

async function open(t: TestContext, clock?: FakeClock): Promise<GatewayUnderTest & { server: ScriptedServer }> {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  return { server, ...(await openGateway(t, server.url, clock && { clock })) };
}

test('a young token that is rejected twice is renewed, and the caller notices nothing', async (t) => {
  const { server, accounts, call } = await open(t);
  server.script = (response, received) => {
    if (received.headers.authorization === 'Bearer renewed') {
      answerResult(response, received);
    } else {
      response.writeHead(401).end();
    }
  };
  let asked = 0;
  accounts.renew = async (grantId) => {
    asked += 1;
    accounts.add('ada', server.url, asked === 1 ? 'token' : 'renewed');
    return accounts.fresh(grantId, 0);
  };
  const { status, answer } = await call(rpc(1));
  assert.equal(status, 200);
  assert.ok('result' in (answer as object));
  assert.equal(server.received.length, 3);
});
