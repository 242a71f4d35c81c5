import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOf } from '../../../src/calls/problem.ts';
import { displayText } from '../../../src/core/displayText.ts';
import { errorResponse, OpenRequests, rpcErrorIn, unknownId } from '../../../src/mcp/jsonRpc.ts';

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

test('an error response has the id exactly as the request wrote it', () => {
  for (const id of ['1.0', '"\\u00e4"', '9007199254740993', unknownId]) {
    const text = errorResponse(id, { code: -1, message: 'm "x"' });
    assert.equal(text, `{"jsonrpc":"2.0","id":${id},"error":{"code":-1,"message":"m \\"x\\""}}`);
  }
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

const settled: [written: string, response: string, isSettled: boolean][] = [
  ['1', '1', true],
  ['1.0', '1', true],
  ['1e2', '100', true],
  ['"\\u00e4"', '"ä"', true],
  ['"a"', '"a"', true],
  ['null', 'null', true],
  // A server that reads a number as a double writes what it was rounded to.
  ['9007199254740993', '9007199254740992', true],
  ['1', '"1"', false],
  ['"1"', '1', false],
  ['"null"', 'null', false],
  ['1', '2', false],
];

for (const [written, response, isSettled] of settled) {
  test(`a response with the id ${response} is ${isSettled ? 'that' : 'not that'} of a request with the id ${written}`, () => {
    const requests = openRequests(written);
    requests.settle(response);
    assert.equal(requests.count, isSettled ? 0 : 1);
    assert.deepEqual([...requests.take()], isSettled ? [] : [written]);
  });
}

test('requests whose ids are equal above 2^53 each need a response', () => {
  const requests = openRequests('9007199254740992', '9007199254740993');
  requests.settle('9007199254740992');
  assert.notEqual(requests.count, 0);
  assert.equal([...requests.take()].length, 1);
});

test('each of several requests with the same id needs a response, and the last one settles them', () => {
  const requests = openRequests('1', '1.0', '2', '1');
  requests.settle('1');
  requests.settle('1');
  requests.settle('2');
  assert.notEqual(requests.count, 0);
  requests.settle('1');
  assert.equal(requests.count, 0);
  requests.settle('1');
  assert.equal(requests.count, 0);
});

test('taking the open requests gives each id once, as it was written', () => {
  const requests = openRequests('1.0', '"a"', '1');
  assert.deepEqual([...requests.take()].sort(), ['"a"', '1', '1.0']);
  assert.equal(requests.count, 0);
  assert.deepEqual([...requests.take()], []);
});

function openRequests(...ids: string[]): OpenRequests {
  const requests = new OpenRequests();
  for (const id of ids) {
    requests.add(id);
  }
  return requests;
}
