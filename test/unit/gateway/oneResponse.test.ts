import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { eventData } from '../../../src/mcp/eventStream.ts';
import { FakeClock } from '../fakeClock.ts';
import { type GatewayUnderTest, openGateway, rpc } from './gatewayUnderTest.ts';
import { type Received, respondWithJson, respondWithResult, ScriptedServer } from './scriptedServer.ts';

interface Message {
  id: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: { kind: string; reason?: string } };
}

const events = { 'content-type': 'text/event-stream' };
const json = { 'content-type': 'application/json' };

/** How a server that was asked for a tool fails to give a response to request 7. */
const failures: [name: string, respond: (response: ServerResponse) => void][] = [
  ['an event stream that ends without the response', (response) => response.writeHead(200, events).end(':\n\n')],
  [
    'an event stream that ends within the response',
    (response) => response.writeHead(200, events).end('data: {"jsonrpc":"2.0","id":7,"res'),
  ],
  ['an event stream that breaks off', breakOff(events, 'data: {"jsonrpc":"2.0",\n')],
  ['an event stream that has only the response to another request', ofText(events, 'data: {"id":8,"result":{}}\n\n')],
  ['an event of another type', ofText(events, 'event: ping\ndata: {"id":7,"result":{}}\n\n')],
  ['half a JSON', ofText(json, '{"jsonrpc":"2.0","id":7,"result":{')],
  ['JSON that breaks off', breakOff(json, '{"jsonrpc":"2.0","id":7,')],
  ['2 MB of JSON that break off', breakOff(json, `{"jsonrpc":"2.0","id":7,"result":"${'x'.repeat(2_000_000)}`)],
  ['2 MB of JSON that end early', ofText(json, `{"jsonrpc":"2.0","id":7,"result":"${'x'.repeat(2_000_000)}`)],
  ['JSON of another request', ofText(json, '{"jsonrpc":"2.0","id":8,"result":{}}')],
  ['JSON without the id that the request had', ofText(json, '{"jsonrpc":"2.0","id":"7","result":{}}')],
];

for (const inSession of [false, true]) {
  for (const [name, respond] of failures) {
    test(`${name} ${inSession ? 'in' : 'outside'} a session ends with one error for the request`, async (t) => {
      const { server, post } = await open(t);
      server.script = respond;
      const messages = await post(rpc(7, 'tools/call'), inSession ? { 'mcp-session-id': 's' } : {});
      assert.deepEqual(
        messages.map(({ id, result }) => [id, result]),
        name.includes('another request') && name.includes('event')
          ? [
              [8, {}],
              [7, undefined],
            ]
          : [[7, undefined]],
      );
      assert.ok(messages.at(-1)?.error);
    });
  }
}

test('an error response has the id exactly as it was written', async (t) => {
  const { server, send } = await open(t);
  server.script = (response) => response.writeHead(503).end();
  for (const id of ['1', '1.0', '"1"', '9007199254740993', '-1e3', '"\\u00e4"', '""', 'null']) {
    const response = await send({ body: `{"jsonrpc":"2.0","id":${id},"method":"tools/list"}` });
    assert.match(await response.text(), new RegExp(`^{"jsonrpc":"2.0","id":${id.replaceAll('\\', '\\\\')},"error"`));
  }
});

test('ids and tokens reach the server exactly as they were written', async (t) => {
  const { server, send } = await open(t);
  server.script = (response) => response.writeHead(202).end();
  const bodies = [
    '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"_meta":{"progressToken":1.0}}}',
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9007199254740993}}',
  ];
  for (const body of bodies) {
    await send({ body });
  }
  assert.deepEqual(
    server.received.map(({ body }) => body),
    bodies,
  );
});

test('a response whose number is written in another way is the response to its request', async (t) => {
  const { server, send } = await open(t);
  server.script = ofText(events, 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
  const response = await send({ body: '{"jsonrpc":"2.0","id":1.0,"method":"tools/call"}' });
  assert.equal(await response.text(), 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
});

test('an event stream that ends without the last empty line is completed', async (t) => {
  const { server, post } = await open(t);
  for (const end of ['', '\n', '\r\n']) {
    server.script = ofText(events, `data: {"jsonrpc":"2.0","id":1,"result":{}}${end}`);
    assert.deepEqual(await post(rpc(1)), [{ jsonrpc: '2.0', id: 1, result: {} }]);
  }
});

test('each request of a batch gets its own response, whatever the server leaves out', async (t) => {
  const { server, post } = await open(t);
  const batch = [rpc(1), { jsonrpc: '2.0', method: 'notifications/x' }, rpc('2'), rpc(3)];
  const two = '{"jsonrpc":"2.0","id":"2","result":{}}';
  const scripts = [ofText(json, `[${two}]`), ofText(events, `data: [${two}]\n\n`), ofText(events, `data: ${two}\n\n`)];
  for (const script of scripts) {
    server.script = script;
    const messages = (await post(batch)).flat();
    assert.deepEqual(
      messages.map(({ id }) => id),
      ['2', 1, 3],
    );
    assert.deepEqual(
      messages.map(({ error }) => error === undefined),
      [true, false, false],
    );
  }
  server.script = ofText(json, '[ ]');
  assert.deepEqual(
    (await post(batch)).flat().map(({ id }) => id),
    [1, '2', 3],
  );
  server.script = ofText(json, `[${two}`);
  assert.deepEqual(
    (await post(batch)).flat().map(({ id }) => id),
    [1, '2', 3],
  );
});

test('an error of the server without an id is the error of each request in the body', async (t) => {
  const { server, post } = await open(t);
  const error = { code: -32600, message: 'Invalid Request' };
  server.script = (response) => respondWithJson(response, 200, { jsonrpc: '2.0', id: null, error });
  assert.deepEqual(await post(rpc(1)), [{ jsonrpc: '2.0', id: 1, error }]);
});

test('a junk batch of 6 MB gets one error, in a few MB of memory', async (t) => {
  const { server, send } = await open(t);
  server.script = (response) => response.writeHead(503).end();
  for (const junk of ['1,', '{},']) {
    const response = await send({ body: `[${junk.repeat(6_000_000 / junk.length)}1]` });
    assert.equal((await response.text()).match(/"id":null/g)?.length, 1);
  }
});

test('a large JSON response arrives as an event, and one whose caller accepts only JSON as it is', async (t) => {
  const { server, post, send } = await open(t);
  const message = { jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(3_000_000), lines: ['a', 'b\n'] } };
  const body = JSON.stringify(message, undefined, 1).replaceAll('\n', '\r\n');
  server.script = ofText(json, body);
  assert.deepEqual(await post(rpc(1)), [message]);
  const response = await send({ body: JSON.stringify(rpc(1)), headers: { accept: 'application/json' } });
  assert.equal(await response.text(), body);
});

test('JSON is understood with any content type or none, and a page of the network is not passed on', async (t) => {
  const { server, send } = await open(t);
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

test('a broken event stream is resumed after its last event, and the caller gets the response once', async (t) => {
  const clock = new ResumingClock();
  const { server, post } = await open(t, clock);
  for (const [first, retryMs] of [
    [breakOff(events, 'id: a\nretry: 250\ndata:\n\ndata: {"jsonrpc"'), 250],
    [ofText(events, 'id: a\ndata:\n\n'), 1_000],
  ] as const) {
    server.received.length = 0;
    server.script = (response, received) =>
      received.method === 'POST' ? first(response) : ofText(events, 'id: b\ndata: {"id":1,"result":{}}\n\n')(response);
    clock.pauses = [];
    assert.deepEqual(await post(rpc(1, 'tools/call'), { 'mcp-session-id': 's' }), [{ id: 1, result: {} }]);
    assert.equal(clock.pauses[0], retryMs);
    const { headers } = server.received[1] as Received;
    assert.deepEqual(
      [headers['last-event-id'], headers['mcp-session-id'], headers.accept],
      ['a', 's', 'text/event-stream'],
    );
    assert.equal(server.received.length, 2);
  }
});

test('a stream that cannot be resumed is tried twice, and then ends with an error', async (t) => {
  const clock = new ResumingClock();
  const { server, post } = await open(t, clock);
  server.script = (response, { method }) =>
    method === 'POST' ? ofText(events, 'id: a\ndata:\n\n')(response) : response.writeHead(502).end();
  const [message] = await post(rpc(1, 'tools/call'));
  assert.equal(message?.error?.data?.kind, 'outcomeUnknown');
  assert.equal(server.received.length, 3);
});

test('a server that has forgotten the stream is asked once', async (t) => {
  const { server, post } = await open(t, new ResumingClock());
  server.script = (response, { method }) =>
    method === 'POST' ? ofText(events, 'id: a\ndata:\n\n')(response) : response.writeHead(405).end();
  assert.equal((await post(rpc(1, 'tools/list')))[0]?.error?.data?.kind, 'unreachable');
  assert.equal(server.received.length, 2);
});

test('a GET that cannot resume its stream at the moment keeps its place in it', async (t) => {
  const { server, send } = await open(t);
  server.script = (response) => response.writeHead(503).end();
  const response = await send({ method: 'GET', headers: { 'last-event-id': 'a' } });
  assert.equal(await response.text(), 'retry: 30000\nid: a\ndata:\n\n');
});

test('a tool call whose connection breaks is never sent again, and says that the change may have been made', async (t) => {
  const { server, post } = await open(t);
  for (const script of [breakOff(events, ':\n\n'), (response: ServerResponse) => void response.destroy()]) {
    server.received.length = 0;
    server.script = script;
    const [message] = await post(rpc(1, 'tools/call'));
    assert.deepEqual(message?.error?.data, { kind: 'outcomeUnknown', reason: 'unreachable' });
    assert.equal(server.received.length, 1);
  }
});

test('a request that reads is sent again once if its connection was closed before a response', async (t) => {
  const { server, post } = await open(t);
  server.script = (response, received, number) =>
    number === 1 ? void response.destroy() : respondWithResult(response, received);
  assert.deepEqual(await post(rpc(1, 'tools/list')), [{ jsonrpc: '2.0', id: 1, result: { method: 'tools/list' } }]);
  assert.equal(server.received.length, 2);
  server.received.length = 0;
  server.script = (response) => void response.destroy();
  assert.equal((await post(rpc(1, 'tools/list')))[0]?.error?.data?.kind, 'unreachable');
  assert.equal(server.received.length, 2);
});

test('a redirect within the origin is followed once, with method, body and token', async (t) => {
  const { server, post } = await open(t);
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
  const { server, post } = await open(t);
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
  const { server, send } = await open(t);
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
  const { server, call } = await open(t);
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
  const { server, accounts, send } = await open(t);
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

/** Lets pauses of at most 30 s, which are those before a stream is resumed, pass at once. */
class ResumingClock extends FakeClock {
  pauses: number[] = [];

  override after(delayMs: number, action: () => void): () => void {
    if (delayMs > 30_000) {
      return super.after(delayMs, action);
    }
    this.pauses.push(delayMs);
    const immediate = setImmediate(action);
    return () => clearImmediate(immediate);
  }
}

function ofText(headers: Record<string, string>, text: string) {
  return (response: ServerResponse): void => {
    response.writeHead(200, headers).end(text);
  };
}

function breakOff(headers: Record<string, string>, text: string) {
  return (response: ServerResponse): void => {
    response.writeHead(200, headers).write(text, () => response.destroy());
  };
}

type Opened = GatewayUnderTest & {
  server: ScriptedServer;
  /** Posts a message and resolves to those in the response, whether it is JSON or events. */
  post(message: unknown, headers?: Record<string, string>): Promise<Message[]>;
};

async function open(t: TestContext, clock?: FakeClock): Promise<Opened> {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  const gateway = await openGateway(t, server.url, clock && { clock });
  return {
    server,
    ...gateway,
    post: async (message, headers = {}) => {
      const response = await gateway.send({ body: JSON.stringify(message), headers });
      assert.equal(response.status, 200);
      const text = await response.text();
      if (response.headers.get('content-type') === 'application/json') {
        return [JSON.parse(text)].flat();
      }
      const typed = text.split('\n\n').filter((event) => !/^event: (?!message)/m.test(event));
      return typed.flatMap((event) => eventData(event)).map((data) => JSON.parse(data));
    },
  };
}
