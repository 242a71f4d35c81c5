import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rpc } from './gatewayUnderTest.ts';
import { events, json, type Message, ofText, openPosting } from './posting.ts';
import { respondWithResult, ScriptedServer } from './scriptedServer.ts';

test('JSON is understood with any content type or none, and a page of the network is not passed on', async (t) => {
  const { server, send } = await openPosting(t);
  const body = '{"jsonrpc":"2.0","id":1,"result":{}}';
  for (const type of [undefined, 'text/plain', 'text/json; charset=utf-8', 'application/vnd.notion+json', 'junk']) {
    server.script = ofText(type === undefined ? {} : { 'content-type': type }, body);
    const response = await send({ body: JSON.stringify(rpc(1)) });
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(await response.text(), body);
  }
  server.script = ofText({}, '<html>');
  const page = (await (await send({ body: JSON.stringify(rpc(1)) })).json()) as Message;
  assert.equal(page.error?.data?.kind, 'invalidResponse');
});

test('a redirect within the origin is followed once, with method, body and token', async (t) => {
  const { server, post } = await openPosting(t);
  for (const status of [301, 302, 307, 308]) {
    server.received.length = 0;
    server.script = (response, received) =>
      received.url === '/mcp'
        ? response.writeHead(status, { location: '/v2/mcp' }).end()
        : respondWithResult(response, received);
    assert.ok((await post(rpc(status)))[0]?.result, `${status}`);
    const [first, second] = server.received;
    assert.equal(second?.url, '/v2/mcp');
    assert.deepEqual(
      [second?.method, second?.body, second?.headers.authorization],
      ['POST', first?.body, first?.headers.authorization],
    );
  }
  server.received.length = 0;
  server.script = (response) => response.writeHead(307, { location: '/mcp' }).end();
  assert.equal((await post(rpc(1)))[0]?.error?.data?.kind, 'invalidResponse');
  assert.equal(server.received.length, 2);
});

test('a redirect to another origin, and one that changes the method, is not followed', async (t) => {
  const { server, post } = await openPosting(t);
  const other = await ScriptedServer.start();
  t.after(() => other.stop());
  for (const [status, location] of [
    [307, other.url],
    [308, `http://localhost:${server.port}/mcp`],
    [307, `http://user@127.0.0.1:${server.port}/mcp`],
    [303, '/v2/mcp'],
    [307, 'http://['],
  ] as const) {
    server.received.length = 0;
    server.script = (response) => response.writeHead(status, { location }).end();
    assert.equal((await post(rpc(1)))[0]?.error?.data?.kind, 'invalidResponse', location);
    assert.equal(server.received.length, 1);
  }
  assert.deepEqual(other.received, []);
});

test('a 400 or 404 from which the caller recovers by itself keeps its status and body', async (t) => {
  const { server, send } = await openPosting(t);
  const body = '{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"Unsupported protocol version"}}';
  const discover = JSON.stringify(rpc(1, 'server/discover'));
  for (const [sent, headers] of [
    [JSON.stringify(rpc(1)), { 'mcp-session-id': 's' }],
    [JSON.stringify(rpc(1)), { 'mcp-protocol-version': '2026-07-28' }],
    [discover, {}],
  ] as const) {
    for (const status of [400, 404]) {
      server.script = (response) => response.writeHead(status, json).end(body);
      const response = await send({ body: sent, headers });
      assert.equal(response.status, status);
      assert.equal(await response.text(), body);
    }
  }
  const older = await send({ body: JSON.stringify(rpc(1)), headers: { 'mcp-protocol-version': '2025-11-25' } });
  assert.equal(older.status, 200);
});

test('the headers that mirror the body of revision 2026-07-28 reach the server', async (t) => {
  const { server, call } = await openPosting(t);
  const mirrored = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'notion-fetch',
    'mcp-param-id': '=?base64?w6Q=?=',
  };
  await call(rpc(1, 'tools/call'), mirrored);
  for (const [name, value] of Object.entries(mirrored)) {
    assert.equal(server.received[0]?.headers[name], value);
  }
});

test('the server’s title is the account’s, in JSON and in events, and nothing else of the response changes', async (t) => {
  const { server, accounts, send } = await openPosting(t);
  const grant = accounts.grants.get('ada') ?? assert.fail();
  const title = 'Notion – Engineering Wiki';
  accounts.grants.set('ada', { ...grant, serverNames: { handle: 'notion-engineering-wiki', title } });
  const response = (info: string) =>
    `{ "id": 1.0, "jsonrpc":"2.0", "result":{"serverInfo": {${info}},"big":9007199254740993}}`;
  const given = response(' "name":"Notion", "title" : "Notion MCP"');
  const expected = response(` "name":"Notion", "title" : "${title}"`);
  const log = 'id: 1\ndata: {"method":"notifications/message"}\n\n';
  for (const method of ['initialize', 'server/discover']) {
    const body = JSON.stringify(rpc(1, method));
    server.script = ofText(json, given);
    assert.equal(await (await send({ body })).text(), expected);
    server.script = ofText(events, `${log}id: 2\ndata: ${given}\n\n`);
    assert.equal(await (await send({ body })).text(), `${log}id: 2\ndata: ${expected}\n\n`);
  }
  server.script = ofText(json, given);
  assert.equal(await (await send({ body: JSON.stringify(rpc(1, 'tools/list')) })).text(), given);
});
