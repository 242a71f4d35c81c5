import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readBody } from '../../../src/gateway/requestBody.ts';
import { HttpFailure } from '../../../src/http/errors.ts';

test('a body up to the limit is kept whole, however many chunks it arrives in', async () => {
  for (const chunks of [[], ['abcd'], ['ab', 'c', 'd']]) {
    const { bytes } = await readBody(streamOf(chunks), 4);
    assert.equal(bytes?.toString(), chunks.join(''));
  }
});

test('of a body over the limit nothing is kept but what its messages are', async () => {
  const long = 'x'.repeat(10_000);
  const { bytes, requests, methods } = await readBody(
    streamOf(['{"id":7,"params":"', long, '","method":"m"', '}']),
    9_000,
  );
  assert.equal(bytes, undefined);
  assert.deepEqual([...requests.take()], ['7']);
  assert.deepEqual([...methods], ['m']);
});

const bodies: [title: string, body: string, ids: string[], isBatch?: boolean][] = [
  ['a request', '{"jsonrpc":"2.0","id":1,"method":"m"}', ['1']],
  ['a request whose id is above 2^53', '{"id":9007199254740993,"method":"m"}', ['9007199254740993']],
  ['a request with a decimal id', '{"id":1.0,"method":"m"}', ['1.0']],
  ['a request with an invalid id', '{"jsonrpc":"2.0","id":{},"method":"m"}', ['null']],
  ['a notification', '{"jsonrpc":"2.0","method":"m"}', []],
  ['a response', '{"jsonrpc":"2.0","id":1,"result":{}}', []],
  ['a batch', '[{"id":1,"method":"m"},{"method":"m"},{"id":"a","method":"m"},{"id":3,"result":1}]', ['1', '"a"'], true],
  ['a batch without requests', '[{"method":"m"}]', [], true],
  ['a batch with invalid messages', '[5,6,{"id":1,"method":"m"}]', ['null', '1'], true],
  ['invalid JSON', '{"jsonrpc"', ['null']],
  ['JSON that is no message', '"text"', ['null']],
  ['an empty body', '', ['null']],
];

for (const [title, body, ids, isBatch = false] of bodies) {
  test(`${title} needs ${ids.length === 0 ? 'no response' : `responses with the ids ${ids.join(', ')}`}`, async () => {
    const read = await readBody(streamOf(body === '' ? [] : [body]));
    assert.deepEqual([...read.requests.take()], ids);
    assert.equal(read.isBatch, isBatch);
  });
}

test('reading a body fails as cancelled if the caller disconnects before its end', async () => {
  const stream = new Readable({ read: () => undefined });
  const reading = readBody(stream);
  stream.push('{');
  stream.destroy(new Error('aborted'));
  await assert.rejects(reading, (error) => error instanceof HttpFailure && error.kind === 'cancelled');
});

function streamOf(chunks: readonly string[]): Readable {
  return Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: false },
  );
}
