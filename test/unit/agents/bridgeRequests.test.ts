import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { greeting, proofLine, prove } from '../../../src/agents/protocol.ts';
import { until } from '../connections.ts';
import { rpc } from '../gateway/gatewayUnderTest.ts';
import { respondWithResult } from '../gateway/scriptedServer.ts';
import { grantOf } from './listenerUnderTest.ts';
import { connectTo, inAnHour, nonce, openWindow } from './listeningWindow.ts';

test('a bridge’s request reaches the account’s MCP server with the account’s token', async (t) => {
  const { window, server, post } = await openWindow(t);
  assert.equal(await window.connect(t).status(inAnHour()), 'ready');
  assert.deepEqual(await post({}, rpc(1)), {
    status: 200,
    body: { jsonrpc: '2.0', id: 1, result: { method: 'tools/list' } },
  });
  assert.equal(server.received[0]?.headers.authorization, 'Bearer token');
});

test('a window proves itself by the nonce, its path and the entry’s secret before it gets a request', async (t) => {
  const { window } = await openWindow(t);
  const { path, secret } = window.entry();
  const socket = connectTo(t, path);
  socket.write(greeting(nonce));
  const [line] = await once(socket, 'data');
  assert.equal(String(line), proofLine(await prove(secret, nonce, path)));
  const other = await prove(secret, nonce, `${path}2`);
  assert.notEqual(String(line), proofLine(other));
});

for (const first of ['GET / HTTP/1.1\r\n', 'notion-mcp-bridge/2 '.padEnd(80, 'A'), 'notion-mcp-bridge/1 short']) {
  test(`a connection that begins with ${JSON.stringify(first.slice(0, 30))} is closed without a response`, async (t) => {
    const { window } = await openWindow(t);
    const socket = connectTo(t, window.entry().path);
    socket.write(`${first}\n`);
    assert.equal(await text(socket), '');
  });
}

const badRequests: Record<string, { path?: string; headers: (bearer: string) => Record<string, string> }> = {
  'no secret': { headers: () => ({}) },
  'a wrong secret': { headers: (bearer) => ({ Authorization: `${bearer.slice(0, -1)}?` }) },
  'a truncated secret': { headers: (bearer) => ({ Authorization: bearer.slice(0, -1) }) },
  'the secret under a wrong scheme': {
    headers: (bearer) => ({ Authorization: bearer.replace('Bearer', 'Basic') }),
  },
  'an origin': { headers: (bearer) => ({ Authorization: bearer, Origin: 'null' }) },
  'a path without an agent': { path: '/notion-ada/mcp', headers: (bearer) => ({ Authorization: bearer }) },
  'a path with a query': { path: '/notion-ada/editor/mcp?', headers: (bearer) => ({ Authorization: bearer }) },
  'the path of the other listener': { path: '/ada/mcp', headers: (bearer) => ({ Authorization: bearer }) },
};

for (const [name, { path = '/notion-ada/editor/mcp', headers }] of Object.entries(badRequests)) {
  test(`a bridge’s request with ${name} gets an empty 404 and is not forwarded`, async (t) => {
    const { window, server } = await openWindow(t);
    const entry = window.entry();
    const socket = connectTo(t, entry.path);
    const lines = Object.entries(headers(`Bearer ${entry.secret.reveal()}`)).map(
      ([key, value]) => `${key}: ${value}\r\n`,
    );
    socket.write(
      `${greeting(nonce)}POST ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}Content-Length: 0\r\n\r\n`,
    );
    const [, response = ''] = /^[^\n]*\n(.*)$/s.exec(await text(socket)) ?? [];
    assert.match(
      response,
      /^HTTP\/1\.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\nDate: [^\r]*\r\n\r\n$/,
    );
    assert.deepEqual(server.received, []);
  });
}

for (const [name, kind] of [
  ['was not decided about', 'consentPending'],
  ['was denied', 'notAllowed'],
] as const) {
  test(`an agent that ${name} gets an error for each request, and nothing of it is forwarded`, async (t) => {
    const { window, server, post } = await openWindow(t);
    if (kind === 'notAllowed') {
      await window.consent.deny('notion-ada', 'codex');
    }
    assert.equal(await window.connect(t, { agent: 'codex' }).status(inAnHour()), 'noConsent');
    const { status, body } = await post({ agent: 'codex' }, [rpc(1), rpc('two')]);
    assert.equal(status, 200);
    assert.deepEqual(
      (body as { id: unknown; error: { message: string; data: unknown } }[]).map(({ id, error }) => [
        id,
        error.message,
      ]),
      [1, 'two'].map((id) => [id, `sentence for ${kind}`]),
    );
    const notification = { jsonrpc: '2.0', method: 'notifications/initialized' };
    assert.deepEqual(await post({ agent: 'codex' }, notification), { status: 202, body: undefined });
    assert.deepEqual(server.received, []);
    await window.consent.refresh();
    assert.deepEqual(window.consent.questions('notion-ada'), kind === 'consentPending' ? ['codex'] : []);
  });
}

test('an agent that the user allowed reaches the account at once, and no other account or agent does', async (t) => {
  const { window, post } = await openWindow(t);
  await window.consent.allow('notion-ada', 'codex');
  assert.equal(await window.connect(t, { agent: 'codex' }).status(inAnHour()), 'ready');
  assert.deepEqual((await post({ agent: 'codex' }, rpc(1))).body, {
    jsonrpc: '2.0',
    id: 1,
    result: { method: 'tools/list' },
  });
  assert.equal(await window.connect(t, { agent: 'gemini' }).status(inAnHour()), 'noConsent');
  window.grants.push(grantOf('grace'));
  assert.equal(await window.connect(t, { agent: 'codex', handle: 'notion-grace' }).status(inAnHour()), 'noConsent');
});

test('an agent that the user allowed goes on while nothing is offered in chat, and chat does not', async (t) => {
  const { window, post } = await openWindow(t);
  await window.consent.allow('notion-ada', 'codex');
  window.isOffered = false;
  await window.update();
  assert.equal(await window.connect(t, { agent: 'codex' }).status(inAnHour()), 'ready');
  assert.equal((await post({ agent: 'codex' }, rpc(1))).status, 200);
  assert.equal(await window.connect(t).status(inAnHour()), 'notAllowed');
  const { body } = await post({}, rpc(2));
  assert.equal((body as { error: { message: string } }).error.message, 'sentence for notOffered');
});

test('Offer in chat of one account leaves the others offered', async (t) => {
  const { window } = await openWindow(t);
  window.grants.push(grantOf('grace'));
  await window.consent.setOffered('notion-ada', false);
  await window.update();
  assert.equal(await window.connect(t).status(inAnHour()), 'notAllowed');
  assert.equal(await window.connect(t, { handle: 'notion-grace' }).status(inAnHour()), 'ready');
});

test('the calls of an agent are counted as uses of the account, and other requests are not', async (t) => {
  const { window, post } = await openWindow(t);
  await window.consent.allow('notion-ada', 'codex');
  await post({ agent: 'codex' }, rpc(1));
  assert.deepEqual(window.consent.uses('notion-ada'), [{ agent: 'codex', permission: 'allowed' }]);
  await post({ agent: 'codex' }, rpc(2, 'tools/call'));
  await post({ agent: 'gemini' }, rpc(3, 'tools/call'));
  assert.deepEqual(window.consent.uses('notion-ada'), [
    { agent: 'codex', permission: 'allowed', usedAtMs: window.clock.nowMs() },
  ]);
});

test('a withdrawn permission ends the agent’s call that is under way, and no other agent’s', async (t) => {
  const { window, server, post, gateway } = await openWindow(t);
  const held: (() => void)[] = [];
  server.script = (response, request) => {
    held.push(() => respondWithResult(response, request));
  };
  await window.consent.allow('notion-ada', 'codex');
  const calls = [post({ agent: 'codex' }, rpc(1, 'tools/call')), post({}, rpc(2, 'tools/call'))];
  await until(() => held.length === 2);
  await window.consent.deny('notion-ada', 'codex');
  gateway.endForbiddenCalls();
  const { body } = (await calls[0]) ?? {};
  assert.equal((body as { error: { message: string } }).error.message, 'sentence for notAllowed');
  for (const respond of held) {
    respond();
  }
  assert.deepEqual((await calls[1])?.body, { jsonrpc: '2.0', id: 2, result: { method: 'tools/call' } });
});

test('the log names the agent and the method of a request, and nothing else of it', async (t) => {
  const { window, post, logged } = await openWindow(t);
  await window.consent.allow('notion-ada', 'codex');
  const params = { name: 'notion-secret-tool', arguments: { query: 'secret words' } };
  await post({ agent: 'codex' }, { ...rpc(1, 'tools/call'), params });
  await post({ agent: 'codex' }, rpc(2, 'secret words'));
  await post({ agent: 'gemini' }, rpc(3, 'tools/call'));
  assert.deepEqual(
    logged.filter((line) => line.includes('agent=')),
    [
      'An agent sends a request. agent=codex method=tools/call',
      'An agent sends a request. agent=codex method=other',
      'An agent sends a request. agent=gemini method=tools/call',
      'The gateway responds with an error. agent=gemini method=POST kind=consentPending',
    ],
  );
  assert.doesNotMatch(logged.join('\n'), /secret/);
});

test('an account that the window does not have is unknown, and a request for it gets an error', async (t) => {
  const { window, server, post } = await openWindow(t);
  const handle = 'notion-grace';
  assert.equal(await window.connect(t, { handle }).status(inAnHour()), 'unknownAccount');
  const { body } = await post({ handle }, rpc(1));
  assert.equal((body as { error: { message: string } }).error.message, 'sentence for signedOut');
  assert.deepEqual(server.received, []);
});

test('a connection without a request that is admitted is closed after 10 seconds, and one with it stays', async (t) => {
  const { window } = await openWindow(t);
  const bridge = window.connect(t);
  assert.equal(await bridge.status(inAnHour()), 'ready');
  const strangers = ['', greeting(nonce), `${greeting(nonce)}POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n`];
  const closings = [];
  for (const line of strangers) {
    const socket = connectTo(t, window.entry().path);
    await once(socket, 'connect');
    socket.write(line);
    socket.resume();
    closings.push(once(socket, 'close'));
  }
  // Its response shows that the window has accepted the connections before it.
  assert.equal(await window.connect(t).status(inAnHour()), 'ready');
  window.clock.advance(10_000);
  await Promise.all(closings);
  assert.equal(await bridge.status(inAnHour()), 'ready');
});
