import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readBody } from '../../../src/gateway/requestBody.ts';
import { HttpFailure } from '../../../src/http/errors.ts';

test('a body up to the limit is kept whole, however many chunks it arrives in', async () => {
  for (const chunks of [[], ['abcd'], ['ab', 'c', 'd']]) {
    const body = await readBody(streamOf(chunks), 4);
    assert.equal(body.kind === 'whole' && body.bytes.toString(), chunks.join(''));
  }
});

test('only the first and last bytes of a body over the limit are kept', async () => {
  const long = 'x'.repeat(10_000);
  for (const chunks of [
    ['start', long, 'end'],
    [`start${long}`, long, `${long}end`],
    [long, long, long],
  ]) {
    const body = await readBody(streamOf(chunks), 9_000);
    const text = chunks.join('');
    assert.ok(body.kind === 'tooLarge');
    assert.ok(Buffer.from(body.head).toString() === text.slice(0, 4096));
    assert.ok(Buffer.from(body.tail).toString() === text.slice(-4096));
  }
});

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
