import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readBody } from '../../../src/gateway/requestBody.ts';
import { HttpFailure } from '../../../src/http/errors.ts';

test('a body up to the limit is kept whole, in however many pieces it comes', async () => {
  for (const pieces of [[], ['abcd'], ['ab', 'c', 'd']]) {
    const body = await readBody(streamOf(pieces), 4);
    assert.equal(body.kind === 'whole' && body.bytes.toString(), pieces.join(''));
  }
});

test('of a larger body the ends are kept', async () => {
  const long = 'x'.repeat(10_000);
  for (const pieces of [
    ['start', long, 'end'],
    [`start${long}`, long, `${long}end`],
    [long, long, long],
  ]) {
    const body = await readBody(streamOf(pieces), 9_000);
    const text = pieces.join('');
    assert.ok(body.kind === 'tooLarge');
    assert.ok(Buffer.from(body.head).toString() === text.slice(0, 4096));
    assert.ok(Buffer.from(body.tail).toString() === text.slice(-4096));
  }
});

test('a caller who goes away before the end is a cancelled request', async () => {
  const stream = new Readable({ read: () => undefined });
  const reading = readBody(stream);
  stream.push('{');
  stream.destroy(new Error('aborted'));
  await assert.rejects(reading, (error) => error instanceof HttpFailure && error.kind === 'cancelled');
});

function streamOf(pieces: readonly string[]): Readable {
  return Readable.from(
    pieces.map((piece) => Buffer.from(piece)),
    { objectMode: false },
  );
}
