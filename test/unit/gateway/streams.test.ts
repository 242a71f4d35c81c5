import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { maxBodyBytes } from '../../../src/gateway/requestBody.ts';
import { type GatewayUnderTest, openGateway, rpc } from './gatewayUnderTest.ts';
import { pour, respondWithResult, ScriptedServer, still, turns } from './scriptedServer.ts';

test('an event stream opens before its first event, and each event is passed on immediately', async (t) => {
  const { server, send } = await open(t);
  for (const method of ['GET', 'POST']) {
    const responding = server.nextResponse((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    });
    const stream = await send({ method, ...(method === 'POST' && { body: JSON.stringify(rpc(1)) }) });
    assert.equal(stream.headers.get('content-type'), 'text/event-stream');
    const reader = stream.body?.getReader() ?? assert.fail();
    const response = await responding;
    const last = `data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result: {} })}\n\n`;
    for (const event of ['data: 1\n\n', last]) {
      response.write(event);
      assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), event);
    }
    response.end();
    assert.equal((await reader.read()).done, true);
  }
});

const eventPrefix = 'data: ';
const eventSuffix = '\n\n';

for (const type of ['application/json', 'text/event-stream']) {
  test(`a slow caller throttles the server and still receives the complete ${type} response`, async (t) => {
    const { server, gateway } = await open(t);
    const warnings: Error[] = [];
    const recordWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', recordWarning);
    t.after(() => process.off('warning', recordWarning));
    const total = 1_000 * 65_536;
    let sent = (): number => 0;
    const isEvents = type === 'text/event-stream';
    server.script = (response) => {
      response.writeHead(200, { 'content-type': type });
      response.write(`${isEvents ? eventPrefix : ''}{"jsonrpc":"2.0","id":1,"result":"`);
      sent = pour(response, total, `"}${isEvents ? eventSuffix : ''}`);
    };
    const response = await slowCall(gateway);
    const ahead = await still(sent);
    assert.ok(ahead < total / 2, `${ahead} of ${total} bytes`);
    let read = 0;
    for await (const chunk of response) {
      read += (chunk as Buffer).length;
    }
    // A JSON response of this size arrives as an event, so that an error can follow if it breaks off.
    assert.equal(response.headers['content-type'], 'text/event-stream');
    assert.equal(read, total + Buffer.byteLength(`${eventPrefix}{"jsonrpc":"2.0","id":1,"result":""}${eventSuffix}`));
    await turns(1);
    assert.deepEqual(warnings, []);
  });
}

test('a caller that disconnects ends its request at the server, whatever the state of the response', async (t) => {
  const { server, send } = await open(t);
  const begin: Record<string, (response: ServerResponse) => void> = {
    'no head yet': () => undefined,
    'JSON that is being buffered': (response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":'),
    'an event stream': (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n'),
  };
  for (const [state, script] of Object.entries(begin)) {
    const caller = new AbortController();
    const responding = server.nextResponse(script);
    const call = send({ body: JSON.stringify(rpc(1)), signal: caller.signal }).then((stream) => stream.text());
    const closed = once(await responding, 'close');
    const rejected = assert.rejects(call, state);
    caller.abort();
    await closed;
    await rejected;
  }
});

test('a request whose caller disconnects while sending it is not forwarded', async (t) => {
  const { server, gateway, call } = await open(t);
  const caller = callerOf(gateway, { 'content-length': 100 });
  caller.on('error', () => undefined);
  caller.write('{');
  await new Promise((resolve) => caller.on('socket', (socket) => socket.once('connect', resolve)));
  caller.destroy();
  await call(rpc(1));
  assert.deepEqual(
    server.received.map(({ body }) => body),
    [JSON.stringify(rpc(1))],
  );
});

test('one connection to the server is reused for successive requests', async (t) => {
  const { server, call } = await open(t);
  for (let id = 0; id < 20; id += 1) {
    await call(rpc(id));
  }
  assert.equal(server.connections, 1);
});

test('a request of 16 MiB is forwarded, and sent again after its token was renewed', async (t) => {
  const { server, accounts, send } = await open(t);
  server.script = (response, received) => {
    if (received.headers.authorization === 'Bearer token') {
      response.writeHead(401).end();
    } else {
      respondWithResult(response, received);
    }
  };
  const body = bodyOf(maxBodyBytes, 5);
  const reply = (await (await send({ body })).json()) as { id: unknown; result: unknown };
  assert.deepEqual(reply, { jsonrpc: '2.0', id: 5, result: { method: 'm' } });
  assert.deepEqual(accounts.rejected, ['token']);
  assert.ok(server.received.every((received) => received.body === body));
});

test('a request over 16 MiB gets an error with its id, wherever the id stands, and is not forwarded', async (t) => {
  const { server, send } = await open(t);
  for (const id of [5, 'fünf']) {
    for (const first of [true, false]) {
      const response = await send({ body: bodyOf(maxBodyBytes + 1, id, first) });
      assert.equal(response.status, 200);
      const reply = (await response.json()) as { id: unknown; error: { data: unknown } };
      assert.equal(reply.id, id);
      assert.deepEqual(reply.error.data, { kind: 'tooLarge' });
    }
  }
  assert.deepEqual(server.received, []);
});

test('a compressed response reaches the caller decoded, so that its messages can be read', async (t) => {
  const { server, send } = await open(t);
  const body = '{"jsonrpc":"2.0","id":1,"result":{}}';
  for (const [encoding, encode] of Object.entries({ gzip: gzipSync, br: brotliCompressSync })) {
    server.script = (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding });
      response.end(encode(body));
    };
    const response = await send({ body: JSON.stringify(rpc(1)) });
    assert.equal(response.headers.get('content-encoding'), null);
    assert.equal(await response.text(), body);
  }
});

test('tool results are passed on unchanged, byte for byte', async (t) => {
  const { server, send } = await open(t);
  const text = '{ "jsonrpc":"2.0",\n"id" : 1, "result":{"text":"\\u00fc ü", "n":1.0, "big":12345678901234567890} }\n';
  const event = text
    .trimEnd()
    .split('\n')
    .map((line) => `data:  ${line}\r`)
    .join('\n');
  for (const [type, body] of [
    ['application/json; charset=utf-8', text],
    ['text/event-stream; charset=utf-8', `: comment\nid: 1\n${event}\n\n`],
  ] as const) {
    server.script = (response) => response.writeHead(200, { 'content-type': type }).end(body);
    const response = await send({ body: JSON.stringify(rpc(1)) });
    assert.equal(response.headers.get('content-type'), type);
    assert.equal(await response.text(), body);
  }
});

async function open(t: TestContext): Promise<GatewayUnderTest & { server: ScriptedServer }> {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  server.script = respondWithResult;
  return { server, ...(await openGateway(t, server.url)) };
}

function callerOf(gateway: GatewayUnderTest['gateway'], headers: Record<string, string | number> = {}) {
  const authorization = `Bearer ${gateway.secretFor('ada').reveal()}`;
  return request(gateway.urlFor('ada'), {
    method: 'POST',
    headers: { ...headers, authorization, 'content-type': 'application/json' },
  });
}

/** Starts a call without reading the body of its response. */
async function slowCall(gateway: GatewayUnderTest['gateway']): Promise<IncomingMessage> {
  const caller = callerOf(gateway).end(JSON.stringify(rpc(1)));
  const [response] = (await once(caller, 'response')) as [IncomingMessage];
  return response;
}

/** Returns a JSON-RPC request of exactly that many bytes. */
function bodyOf(bytes: number, id: number | string, idFirst = true): string {
  const empty = idFirst
    ? { jsonrpc: '2.0', id, method: 'm', params: { x: '' } }
    : { method: 'm', params: { x: '' }, jsonrpc: '2.0', id };
  const filling = bytes - Buffer.byteLength(JSON.stringify(empty));
  return JSON.stringify({ ...empty, params: { x: 'x'.repeat(filling) } });
}
