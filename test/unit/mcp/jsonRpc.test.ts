import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOf } from '../../../src/calls/problem.ts';
import { displayText } from '../../../src/core/displayText.ts';
import { errorBody, requestIdsOf, requestIdsOfEnds, rpcErrorIn } from '../../../src/mcp/jsonRpc.ts';

const bodies: [title: string, body: string, ids: unknown[], batch?: boolean][] = [
  ['a request', '{"jsonrpc":"2.0","id":1,"method":"m"}', [1]],
  ['a request with a string id', '{"jsonrpc":"2.0","id":"a","method":"m"}', ['a']],
  ['a request with the id 0', '{"jsonrpc":"2.0","id":0,"method":"m"}', [0]],
  ['a request with an invalid id', '{"jsonrpc":"2.0","id":{},"method":"m"}', [null]],
  ['a notification', '{"jsonrpc":"2.0","method":"m"}', []],
  ['a response', '{"jsonrpc":"2.0","id":1,"result":{}}', []],
  ['an error response', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}', []],
  ['a batch', '[{"id":1,"method":"m"},{"method":"m"},{"id":2,"method":"m"},{"id":3,"result":1}]', [1, 2], true],
  ['a batch without requests', '[{"method":"m"}]', [], true],
  ['an empty batch', '[]', [], true],
  ['a batch with an invalid message', '[5]', [null], true],
  ['invalid JSON', '{"jsonrpc"', [null]],
  ['JSON that is no message', '"text"', [null]],
  ['an empty body', '', [null]],
];

for (const [title, body, ids, batch = false] of bodies) {
  test(`the request ids in ${title} are ${JSON.stringify(ids)}`, () => {
    assert.deepEqual(requestIdsOf(Buffer.from(body)), { ids, batch });
  });
}

const ends: [title: string, head: string, tail: string, id: unknown][] = [
  ['at the start (VS Code)', '{"jsonrpc":"2.0","id":7,"method":"m","params":{"id":1', 'xxx"}}', 7],
  ['after the method', '{"method":"m","id":"s","params":{', 'xxx"}}', 's'],
  ['at the end (MCP SDK)', '{"method":"m","params":{"id":1', 'xxx"},"jsonrpc":"2.0","id":7}', 7],
  ['before the version at the end', '{"method":"m","params":{', 'xxx"}, "id" : "a\\"b" , "jsonrpc" : "2.0" }\n', 'a"b'],
  ['only inside the parameters', '{"jsonrpc":"2.0","method":"m","params":{"id":1,', 'xxx","id":2}}', null],
  ['only inside a string', '{"method":"m","params":"{\\"id\\":1,', 'xxx,\\"id\\":2}"}', null],
  ['in a batch', '[{"jsonrpc":"2.0","id":1,', '"id":2}]', null],
];

for (const [title, head, tail, id] of ends) {
  test(`in a request too large to keep, an id ${title} is read as ${JSON.stringify(id)}`, () => {
    assert.deepEqual(requestIdsOfEnds(Buffer.from(head), Buffer.from(tail)).ids, [id]);
  });
}

test('an id is searched for in less than 200 ms even in text crafted to slow down the search', () => {
  const crafted = [
    `{${'"method":"m",'.repeat(300)}`,
    `,"id":"${'\\\\'.repeat(2000)}`,
    `,${' '.repeat(4000)}`,
    ',"id":1'.repeat(600),
  ];
  const startMs = performance.now();
  for (const text of crafted) {
    requestIdsOfEnds(Buffer.from(text), Buffer.from(text));
  }
  assert.ok(performance.now() - startMs < 200);
});

test('a JSON-RPC error carries a kind and its data for programs, and a sentence for the user', () => {
  const problem = { kind: 'rateLimited', host: 'mcp.notion.com', status: 429, waitSeconds: 60 } as const;
  assert.deepEqual(
    errorOf(problem, ({ host, waitSeconds }) => displayText(`${host}: ${waitSeconds}`, 60)),
    {
      code: -32086,
      message: 'mcp.notion.com: 60',
      data: { kind: 'rateLimited', status: 429, retryAfterSeconds: 60 },
    },
  );
});

test('an error body addresses every request, and there is none without requests', () => {
  const error = { code: -1, message: 'm' };
  const one = { jsonrpc: '2.0', id: 1, error };
  assert.equal(errorBody({ ids: [1], batch: false }, error), JSON.stringify(one));
  assert.equal(errorBody({ ids: [1], batch: true }, error), JSON.stringify([one]));
  assert.equal(errorBody({ ids: [], batch: true }, error), undefined);
});

test('a JSON-RPC error is recognized in a response body, and nothing else is mistaken for one', () => {
  const error = { code: -32601, message: 'Method not found' };
  assert.deepEqual(rpcErrorIn(JSON.stringify({ jsonrpc: '2.0', id: 1, error: { ...error, secret: 1 } })), error);
  for (const other of [
    '',
    '<html>',
    '[]',
    'null',
    '{"error":"invalid_token"}',
    '{"jsonrpc":"2.0","error":"text"}',
    '{"jsonrpc":"2.0","error":{"code":"1","message":"m"}}',
    '{"jsonrpc":"2.0","error":{"code":1}}',
    '{"jsonrpc":"2.0","id":1,"result":{}}',
  ]) {
    assert.equal(rpcErrorIn(other), undefined, other);
  }
});
