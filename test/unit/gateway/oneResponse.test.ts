import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { rpc } from './gatewayUnderTest.ts';
import { breakOff, events, json, ofText, openPosting } from './posting.ts';
import { respondWithJson } from './scriptedServer.ts';

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
      const { server, post } = await openPosting(t);
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
  const { server, send } = await openPosting(t);
  server.script = (response) => response.writeHead(503).end();
  for (const id of ['1', '1.0', '"1"', '9007199254740993', '-1e3', '"\\u00e4"', '""', 'null']) {
    const response = await send({ body: `{"jsonrpc":"2.0","id":${id},"method":"tools/list"}` });
    assert.match(await response.text(), new RegExp(`^{"jsonrpc":"2.0","id":${id.replaceAll('\\', '\\\\')},"error"`));
  }
});

test('ids and tokens reach the server exactly as they were written', async (t) => {
  const { server, send } = await openPosting(t);
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
  const { server, send } = await openPosting(t);
  server.script = ofText(events, 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
  const response = await send({ body: '{"jsonrpc":"2.0","id":1.0,"method":"tools/call"}' });
  assert.equal(await response.text(), 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
});

test('an event stream that ends without the last empty line is completed', async (t) => {
  const { server, post } = await openPosting(t);
  for (const end of ['', '\n', '\r\n']) {
    server.script = ofText(events, `data: {"jsonrpc":"2.0","id":1,"result":{}}${end}`);
    assert.deepEqual(await post(rpc(1)), [{ jsonrpc: '2.0', id: 1, result: {} }]);
  }
});

test('each request of a batch gets its own response, whatever the server leaves out', async (t) => {
  const { server, post } = await openPosting(t);
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
  const { server, post } = await openPosting(t);
  const error = { code: -32600, message: 'Invalid Request' };
  server.script = (response) => respondWithJson(response, 200, { jsonrpc: '2.0', id: null, error });
  assert.deepEqual(await post(rpc(1)), [{ jsonrpc: '2.0', id: 1, error }]);
});

test('a junk batch of 6 MB gets one error, in a few MB of memory', async (t) => {
  const { server, send } = await openPosting(t);
  server.script = (response) => response.writeHead(503).end();
  for (const junk of ['1,', '{},']) {
    const response = await send({ body: `[${junk.repeat(6_000_000 / junk.length)}1]` });
    assert.equal((await response.text()).match(/"id":null/g)?.length, 1);
  }
});

test('a large JSON response arrives as an event, and one whose caller accepts only JSON as it is', async (t) => {
  const { server, post, send } = await openPosting(t);
  const message = { jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(3_000_000), lines: ['a', 'b\n'] } };
  const body = JSON.stringify(message, undefined, 1).replaceAll('\n', '\r\n');
  server.script = ofText(json, body);
  assert.deepEqual(await post(rpc(1)), [message]);
  const response = await send({ body: JSON.stringify(rpc(1)), headers: { accept: 'application/json' } });
  assert.equal(await response.text(), body);
});
