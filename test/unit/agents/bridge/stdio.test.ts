import assert from 'node:assert/strict';
import { PassThrough, Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { linesOf, writeLine } from '../../../../src/agents/bridge/stdio.ts';
import { splitsOf } from '../../mcp/splits.ts';

async function textsOf(pieces: Iterable<Uint8Array>, maxBytes?: number): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = [];
  for await (const { bytes } of linesOf(Readable.from(pieces, { objectMode: true }), maxBytes)) {
    texts.push(bytes?.toString());
  }
  return texts;
}

test('lines arrive whole in whatever pieces they are read, also where a character is split', async () => {
  const lines = ['{"id":1}', '{"text":"ä€😀"}', 'junk'];
  for (const pieces of splitsOf(`${lines.join('\n')}\n`)) {
    assert.deepEqual(await textsOf(pieces.map((piece) => Buffer.from(piece))), lines);
  }
});

test('empty lines are left out, also those that end with CR LF', async () => {
  const text = '\n\r\n{"id":1}\r\n\n\r\n{"id":2}\n';
  for (const pieces of splitsOf(text)) {
    const texts = await textsOf(pieces.map((piece) => Buffer.from(piece)));
    assert.deepEqual(
      texts.map((line) => JSON.parse(line ?? '')),
      [{ id: 1 }, { id: 2 }],
    );
  }
});

test('what follows the last end of a line is not taken for a message', async () => {
  assert.deepEqual(await textsOf([Buffer.from('{"id":1}\n{"id":2}')]), ['{"id":1}']);
});

test('a message of 10 MiB arrives whole', async () => {
  const line = JSON.stringify({ text: 'ü'.repeat(5 * 1024 * 1024) });
  const bytes = Buffer.from(`${line}\n`);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 65_535) }, (_, index) =>
    bytes.subarray(index * 65_535, (index + 1) * 65_535),
  );
  const [found] = await textsOf(pieces);
  assert.ok(found === line);
});

test('a line that is too long is not kept, but its id is known, and the lines around it arrive', async () => {
  const long = `{"id":1,"params":{"id":2,"text":"${'x'.repeat(200)}"},"method":"tools/call"}`;
  for (const pieces of splitsOf(`{"id":0}\n${long}\n{"id":3}\n`)) {
    const lines = [];
    for await (const line of linesOf(Readable.from(pieces.map((piece) => Buffer.from(piece))), 100)) {
      lines.push(line);
    }
    assert.deepEqual(
      lines.map(({ bytes }) => bytes?.toString()),
      ['{"id":0}', undefined, '{"id":3}'],
    );
    assert.deepEqual(lines[1]?.outlines, [{ kind: 'request', id: '1', method: 'tools/call' }]);
  }
});

test('a message is written on one line, whatever line ends it contains', async () => {
  const output = new PassThrough();
  await writeLine(output, '{\r\n"a":\n1\r}');
  assert.equal(String(output.read()), '{ "a": 1 }\n');
});

test('a writer waits until a slow reader has taken its message, and leaves no listeners behind', async () => {
  const taken: string[] = [];
  let takeNext = (): void => undefined;
  const output = new Writable({
    highWaterMark: 1,
    write: (chunk, _encoding, done) => {
      taken.push(String(chunk));
      takeNext = done;
    },
  });
  const written: number[] = [];
  const writes = Array.from({ length: 50 }, (_, number) =>
    writeLine(output, String(number)).then(() => written.push(number)),
  );
  assert.deepEqual(
    ['drain', 'close', 'error'].map((name) => output.listenerCount(name)),
    [0, 0, 0],
  );
  for (let count = 1; count <= 50; count += 1) {
    assert.equal(taken.length, count);
    assert.equal(written.length, count - 1);
    takeNext();
    await writes[count - 1];
  }
  assert.deepEqual(
    taken,
    Array.from({ length: 50 }, (_, number) => `${number}\n`),
  );
});

test('a writer does not wait for a reader that is gone', async () => {
  let fail = (_error: Error): void => undefined;
  const output = new Writable({
    write: (_chunk, _encoding, done) => {
      fail = done;
    },
    destroy: (error, done) => {
      fail(new Error('broken pipe'));
      done(error);
    },
  });
  output.on('error', () => undefined);
  const writing = [writeLine(output, 'under way'), writeLine(output, 'waiting')];
  output.destroy();
  await Promise.all([...writing, writeLine(output, 'later')]);
});
