import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../connections.ts';
import { turns } from '../../gateway/scriptedServer.ts';
import { BridgeUnderTest, windowDirectory } from './bridgeUnderTest.ts';
import { openSession, SessionServer } from './sessionServer.ts';
import { type Received, respondAsServer, sendJson, TestWindow } from './testWindow.ts';

function sessionsOf(received: readonly Received[], method: string): unknown[] {
  return received.filter((each) => each.method === method).map(({ headers }) => headers['mcp-session-id']);
}

test('messages carry the session and the revision that the server chose, initialize neither', async (t) => {
  const { agent, window } = await openSession(t);
  await agent.call(1);
  const [initialize, initialized, call] = window.posted.map(({ headers }) => [
    headers['mcp-session-id'],
    headers['mcp-protocol-version'],
  ]);
  assert.deepEqual(initialize, [undefined, undefined]);
  assert.deepEqual(initialized, ['session-1', '2025-06-18']);
  assert.deepEqual(call, ['session-1', '2025-06-18']);
});

test('a request waits until the server has got initialized, and initialized until it has responded to initialize', async (t) => {
  const directory = windowDirectory(t);
  const held: (() => void)[] = [];
  const window = await TestWindow.start(t, directory, {
    respond: (response, request) => held.push(() => respondAsServer(response, request)),
  });
  const agent = await BridgeUnderTest.start(t, directory);
  agent.send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18' } });
  agent.send({ method: 'notifications/initialized' });
  agent.send({ id: 2, method: 'tools/list' });
  agent.send({ id: 3, method: 'tools/call' });
  for (const method of ['initialize', 'notifications/initialized']) {
    await window.arrived(method);
    await agent.request(`ping ${method}`, 'ping');
    assert.equal(window.methods.at(-1), method);
    held.pop()?.();
  }
  await window.arrived('tools/call');
  await window.arrived('tools/list');
});

for (const status of [404, 400]) {
  test(`a session that the server has forgotten (${status}) is begun again once for all calls that find out`, async (t) => {
    const { agent, server, window } = await openSession(t);
    server.known.clear();
    server.lostStatus = status;
    const ids = Array.from({ length: 100 }, (_, number) => number);
    assert.deepEqual(
      await Promise.all(ids.map((id) => agent.call(id))),
      ids.map(() => 'done'),
    );
    assert.equal(server.begun, 2);
    assert.equal(server.calls.length, 100);
    assert.equal(new Set(server.calls).size, 100);
    assert.deepEqual(sessionsOf(window.received, 'notifications/initialized'), ['session-1', 'session-2']);
    assert.equal(
      window.received.find(({ method, headers }) => method === 'tools/call' && headers['mcp-session-id'] === undefined),
      undefined,
    );
  });
}

test('a late word that the former session is lost does not end the one that was begun since', async (t) => {
  const { agent, server, window } = await openSession(t);
  server.known.clear();
  const { respond } = server;
  let late: (() => void) | undefined;
  window.respond = (response, request) => {
    if (request.id === 'late' && late === undefined) {
      late = () => respond(response, request);
    } else {
      respond(response, request);
    }
  };
  agent.send({ id: 'late', method: 'tools/call' });
  await until(() => late !== undefined);
  assert.equal(await agent.call(1), 'done');
  assert.equal(server.begun, 2);
  late?.();
  await agent.response('late');
  assert.equal(server.begun, 2);
  assert.deepEqual(server.calls, [1, 'late']);
});

test('a call that is cancelled while the session is begun again does not disturb the others', async (t) => {
  const { agent, server, window } = await openSession(t);
  server.known.clear();
  let begin = (): void => undefined;
  window.respond = (response, request) => {
    if (request.method === 'initialize') {
      begin = () => server.respond(response, request);
    } else {
      server.respond(response, request);
    }
  };
  agent.send({ id: 1, method: 'tools/call' });
  agent.send({ id: 2, method: 'tools/call' });
  await window.arrived('initialize', 2);
  agent.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
  await agent.response(1);
  begin();
  assert.equal((await agent.response(2)).result?.content?.[0]?.text, 'done');
  assert.deepEqual(server.calls, [2]);
});

test('a call that comes while the session is begun again waits until the server has got initialized', async (t) => {
  const { agent, server, window } = await openSession(t);
  server.known.clear();
  let confirm = (): void => undefined;
  window.respond = (response, request) => {
    if (request.method === 'notifications/initialized') {
      confirm = () => server.respond(response, request);
    } else {
      server.respond(response, request);
    }
  };
  agent.send({ id: 1, method: 'tools/call' });
  await window.arrived('notifications/initialized', 2);
  agent.send({ id: 2, method: 'tools/call' });
  await agent.request('ping', 'ping');
  await turns(20);
  assert.deepEqual(server.calls, []);
  confirm();
  await Promise.all([agent.response(1), agent.response(2)]);
  assert.deepEqual(server.calls.toSorted(), [1, 2]);
});

test('a request that the server rejects in every session is sent twice at most, and gets a sentence', async (t) => {
  const { agent, server, window } = await openSession(t);
  window.respond = (response, request) =>
    request.method === 'tools/call' ? sendJson(response, 400, {}) : server.respond(response, request);
  assert.equal(await agent.call(1), 'Notion’s MCP server rejected the request.');
  assert.equal(window.methods.filter((method) => method === 'tools/call').length, 2);
  assert.equal(server.begun, 2);
});

test('a session that an agent began without a window is begun at the server before its first call', async (t) => {
  const directory = windowDirectory(t);
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.open();
  await agent.call('lost');
  const server = new SessionServer();
  const window = await TestWindow.start(t, directory, { respond: server.respond });
  const ids = [1, 2, 3];
  assert.deepEqual(await Promise.all(ids.map((id) => agent.call(id))), ['done', 'done', 'done']);
  assert.equal(server.begun, 1);
  assert.deepEqual(window.methods.slice(0, 2), ['initialize', 'notifications/initialized']);
  assert.equal(window.received[0]?.params.protocolVersion, '2025-11-25', 'as the agent began it');
});

test('a window that is closed while the session is begun leaves the call to the next one', async (t) => {
  const directory = windowDirectory(t);
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.open();
  await agent.call('lost');
  const server = new SessionServer();
  await TestWindow.start(t, directory, { number: 1, respond: server.respond });
  await TestWindow.start(t, directory, { number: 2, respond: (response) => response.destroy() });
  const calling = agent.call(1);
  // The newer window breaks off each time; nothing of the call was sent, so it may be tried again.
  assert.match(await calling, /^No open window/);
  assert.deepEqual(server.calls, []);
});

test('a session outlives the window through which it began', async (t) => {
  const { agent, server, window, directory } = await openSession(t);
  const other = await TestWindow.start(t, directory, { number: 0, respond: server.respond });
  await window.stop();
  assert.equal(await agent.call(1), 'done');
  assert.deepEqual(sessionsOf(other.received, 'tools/call'), ['session-1']);
  assert.equal(server.begun, 1);
});

test('a request of revision 2026-07-28 does not begin the session that the agent began besides', async (t) => {
  const directory = windowDirectory(t);
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.open();
  await agent.call('lost');
  const window = await TestWindow.start(t, directory);
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  await agent.request(1, 'tools/call', { name: 'x', _meta });
  assert.deepEqual(window.methods, ['tools/call']);
});

test('an older server to which server/discover is unknown gets initialize next', async (t) => {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory, {
    respond: (response, request) =>
      request.method === 'server/discover' ? sendJson(response, 400, {}) : respondAsServer(response, request),
  });
  const agent = await BridgeUnderTest.start(t, directory);
  const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  assert.equal((await agent.request('server-discover-probe-1', 'server/discover', { _meta })).error?.code, -32601);
  await agent.open();
  assert.equal(await agent.call(1), 'done');
  assert.equal(window.methods[1], 'initialize');
});
