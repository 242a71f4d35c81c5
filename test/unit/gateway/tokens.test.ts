import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transport } from '../../../src/http/transport.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { openGateway, rpc } from './gatewayUnderTest.ts';
import { openPosting } from './posting.ts';
import { respondWithResult, ScriptedServer } from './scriptedServer.ts';

test('a forwarded request carries the account’s current token and no headers that identify the caller', async (t) => {
  const { server, accounts, call, gateway } = await openPosting(t);
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

test('the gateway passes MCP’s own headers in both directions and drops unlisted response headers', async (t) => {
  const { server, send } = await openPosting(t);
  server.script = (response, received) => {
    response.setHeader('mcp-session-id', 'session');
    response.setHeader('set-cookie', 'a=b');
    response.setHeader('www-authenticate', 'Bearer');
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('x-anything', 'else');
    respondWithResult(response, received);
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

test('a rejected token is renewed and the request sent again without the caller noticing', async (t) => {
  const { server, accounts, call, notified } = await openPosting(t);
  server.script = (response, received) => {
    if (received.headers.authorization === 'Bearer token') {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
    } else {
      respondWithResult(response, received);
    }
  };
  const { status, body } = await call(rpc(1));
  assert.equal(status, 200);
  assert.deepEqual(body, { jsonrpc: '2.0', id: 1, result: { method: 'tools/list' } });
  assert.deepEqual(accounts.rejected, ['token']);
  assert.deepEqual(
    server.received.map(({ headers, body }) => [headers.authorization, body]),
    ['Bearer token', 'Bearer token+'].map((authorization) => [authorization, JSON.stringify(rpc(1))]),
  );
  assert.deepEqual(notified, []);
});

test('a token that is rejected again after its renewal is not renewed twice for the same request', async (t) => {
  const { server, accounts, call } = await openPosting(t);
  server.script = (response) => response.writeHead(401).end();
  await call(rpc(1));
  assert.deepEqual(accounts.rejected, ['token']);
  assert.equal(server.received.length, 2);
});

test('a new token that is rejected twice is renewed without the caller noticing', async (t) => {
  const { server, accounts, call } = await openPosting(t);
  server.script = (response, received) => {
    if (received.headers.authorization === 'Bearer renewed') {
      respondWithResult(response, received);
    } else {
      response.writeHead(401).end();
    }
  };
  let renewals = 0;
  accounts.renew = async (grantId) => {
    renewals += 1;
    accounts.add('ada', server.url, renewals === 1 ? 'token' : 'renewed');
    return accounts.fresh(grantId, 0);
  };
  const { status, body } = await call(rpc(1));
  assert.equal(status, 200);
  assert.ok('result' in (body as object));
  assert.equal(server.received.length, 3);
});

test('calls to an account that needs a sign-in get errors; the user gets one message until it recovers', async (t) => {
  const { server, accounts, call, notified } = await openPosting(t);
  const { fresh } = accounts;
  const revoked = new Failure('invalidGrant', { step: 'token', code: 'invalid_grant' });
  accounts.fresh = () => Promise.reject(revoked);
  for (const id of [1, 2, 3]) {
    const { body, status } = await call(rpc(id));
    assert.equal(status, 200);
    assert.deepEqual((body as { error: { data: unknown } }).error.data, { kind: 'signInNeeded' });
  }
  assert.deepEqual(server.received, []);
  assert.deepEqual(notified, ['signInNeeded ada']);
  accounts.fresh = fresh;
  await call(rpc(4));
  accounts.fresh = () => Promise.reject(revoked);
  await call(rpc(5));
  assert.deepEqual(notified, ['signInNeeded ada', 'signInNeeded ada']);
});

test('a failed renewal tells the caller why, and the user is notified only if a sign-in is needed', async (t) => {
  const { server, accounts, call, notified } = await openPosting(t);
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
    accounts.renew = () => Promise.reject(new Failure(failure, { step: 'token', code: 'invalid_request' }));
    const { body } = await call(rpc(1));
    assert.equal((body as { error: { data: { kind: string } } }).error.data.kind, kind);
    assert.deepEqual(notified, kind === 'signInNeeded' ? ['signInNeeded ada'] : []);
  }
});

test('an unexpected exception becomes an internal error for the request, without the exception’s text', async (t) => {
  const { accounts, call } = await openPosting(t);
  accounts.fresh = () => Promise.reject(new TypeError('token is undefined'));
  const { status, body } = await call(rpc(1));
  assert.equal(status, 200);
  assert.deepEqual(body, {
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32603, message: 'sentence for internal', data: { kind: 'internal' } },
  });
});

test('a request for an account that was signed out gets an error, and nothing is sent to the MCP server', async (t) => {
  const { server, accounts, call, send, notified } = await openPosting(t);
  accounts.grants.clear();
  const { body } = await call(rpc(1));
  assert.deepEqual((body as { error: { data: unknown } }).error.data, { kind: 'signedOut' });
  assert.equal((await send({ method: 'GET' })).status, 405);
  assert.deepEqual(server.received, []);
  assert.deepEqual(notified, []);
});

test('the user is notified of missing scopes once, by name, whatever else the server names until the account signs in again', async (t) => {
  const { server, accounts, call, notified } = await openPosting(t);
  server.script = (response, _, number) => {
    const challenge = `Bearer error="insufficient_scope", scope="pages ${number === 1 ? 'write' : number}"`;
    response.writeHead(403, { 'www-authenticate': challenge }).end();
  };
  for (let id = 1; id <= 50; id += 1) {
    await call(rpc(id));
  }
  assert.deepEqual(notified, ['insufficientScope ada pages write']);
  const grant = accounts.grants.get('ada') ?? assert.fail();
  accounts.grants.set('ada', { ...grant, signedInAtMs: 1 });
  await call(rpc(51));
  await call(rpc(52));
  assert.deepEqual(notified, ['insufficientScope ada pages write', 'insufficientScope ada pages 51']);
});

test('the scopes of each challenge to an account’s token are passed on, also those of a 401, and those of other errors are not', async (t) => {
  const { server, call, demanded } = await openPosting(t);
  for (const [status, challenge] of [
    [403, 'Bearer error="insufficient_scope", scope="pages write"'],
    [403, 'Bearer error="insufficient_scope"'],
    [403, 'Bearer error="access_denied", scope="admin"'],
    [403, ''],
    [401, 'Bearer error="invalid_token", scope="read"'],
    [401, 'Bearer error="invalid_token"'],
    [500, 'Bearer error="insufficient_scope", scope="admin"'],
  ] as const) {
    server.script = (response) => response.writeHead(status, { 'www-authenticate': challenge }).end();
    await call(rpc(1));
  }
  assert.deepEqual(demanded, ['ada pages write', 'ada', 'ada read']);
});

test('an access token is sent to its own account’s MCP server and to no other', async (t) => {
  const { server, accounts, gateway, send } = await openPosting(t);
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

test('an access token is never sent to another machine without encryption', async (t) => {
  const urls: URL[] = [];
  const transport: Transport = {
    send: async ({ url }) => {
      urls.push(url);
      return { status: 202, headers: {}, read: async () => undefined, cancel: () => undefined };
    },
    close: async () => undefined,
  };
  const { accounts, call } = await openGateway(t, 'https://mcp.example.test/mcp', { transport });
  await call(rpc(1));
  accounts.add('ada', 'http://mcp.example.test/mcp', 'token');
  const { body } = await call(rpc(2));
  assert.deepEqual((body as { error: { data: unknown } }).error.data, { kind: 'unreachable', reason: 'insecure' });
  assert.deepEqual(
    urls.map(({ protocol }) => protocol),
    ['https:'],
  );
});

test('the gateway writes no token, secret or path to the log', async (t) => {
  const { server, accounts, call, gateway, logged } = await openPosting(t);
  accounts.add('ada', server.url, '12345:access');
  server.script = (response) => response.writeHead(401).end();
  await call(rpc(1));
  assert.ok(logged.length > 0);
  for (const secret of ['12345:access', gateway.secretFor('ada').reveal(), '/mcp']) {
    assert.ok(!logged.join('\n').includes(secret), secret);
  }
});
