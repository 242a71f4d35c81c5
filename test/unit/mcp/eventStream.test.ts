import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventStreamReader, eventData } from '../../../src/mcp/eventStream.ts';
import type { Outline } from '../../../src/mcp/messageReader.ts';
import { splitsOf } from './splits.ts';

const one: Outline = { kind: 'response', id: '1' };
const two: Outline = { kind: 'request', id: '2', method: 'm' };
const message = '{"jsonrpc":"2.0","id":1,"result":{}}';
const request = '{"jsonrpc":"2.0","id":2,"method":"m"}';

const streams: [title: string, stream: string, expected: Outline[]][] = [
  ['lines that end with a line feed', `data: ${message}\n\ndata: ${request}\n\n`, [one, two]],
  ['lines that end with a carriage return', `data: ${message}\r\rdata: ${request}\r\r`, [one, two]],
  ['lines that end with both', `data: ${message}\r\n\r\ndata: ${request}\r\n\r\n`, [one, two]],
  ['lines that end differently', `data: ${message}\r\n\ndata: ${request}\n\r`, [one, two]],
  ['data without a space after the colon', `data:${message}\n\n`, [one]],
  ['data in several lines', 'data: {"id":\r\ndata:1,\r\ndata: "result":{}\r\ndata:}\r\n\r\n', [one]],
  ['other fields around the data', `: comment\nevent: message\nfoo: bar\ndata: ${message}\nid: 7\nbaz\n\n`, [one]],
  ['an empty type', `event:\ndata: ${message}\n\n`, [one]],
  ['a type that was replaced by an empty one', `event: ping\nevent\ndata: ${message}\n\n`, [one]],
  ['empty events', `\n\n: comment\n\nid: 1\n\ndata\n\ndata:\n\ndata: ${message}\n\n`, [one]],
  ['a batch', `data: [${message},${request}]\n\n`, [one, two]],
  ['a byte order mark', `\uFEFFdata: ${message}\n\n`, [one]],
  [
    'characters of several bytes',
    'data: {"id":"ä€😀","params":"ä€😀","result":1}\n\n',
    [{ kind: 'response', id: '"ä€😀"' }],
  ],
  ['an event of another type, which is ignored', `event: ping\ndata: ${message}\n\ndata: ${request}\n\n`, [two]],
  ['an event that is not complete, which is ignored', `data: ${request}\n\ndata: ${message}\n`, [two]],
  ['data that is no JSON, which is ignored', `data: ping\n\ndata: ${message}x\n\ndata: ${request}\n\n`, [two]],
  ['data that is cut off, which is ignored', `data: ${message.slice(0, -1)}\n\ndata: ${request}\n\n`, [two]],
  [
    'fields that only begin or end with “data”',
    `database: ${message}\n\n data: ${message}\n\nData: ${message}\n\n`,
    [],
  ],
  ['a byte order mark before a later line', `data: ${request}\n\n\uFEFFdata: ${message}\n\n`, [two]],
];

for (const [title, stream, expected] of streams) {
  test(`${title}: an event stream is read to the same messages in whatever pieces it arrives`, () => {
    for (const pieces of splitsOf(stream)) {
      const reader = new EventStreamReader();
      assert.deepEqual(
        pieces.flatMap((piece) => reader.push(piece)),
        expected,
      );
    }
  });
}

const ids: [title: string, stream: string, id: string | undefined][] = [
  ['of a complete event', 'id: 7\ndata: {}\n\n', '7'],
  ['of an event without data', 'id: 7\n\n', '7'],
  ['of an event of another type', 'event: ping\nid: 7\ndata: x\n\n', '7'],
  ['of the last event that has one', 'id: 7\n\nid:8\n\ndata: {}\n\n', '8'],
  ['that is the last of several in an event', 'id: 7\nid: 8\n\n', '8'],
  ['with spaces and colons', 'id:  a: b \n\n', ' a: b '],
  ['with characters of several bytes, which is sent back byte by byte', 'id: €\n\n', '\u00e2\u0082\u00ac'],
  ['before one with a null character, which is ignored', 'id: 7\n\nid: 8\0\n\n', '7'],
  ['before an event that is not complete', 'id: 7\n\nid: 8\ndata: {}\n', '7'],
  ['before an empty one, which takes it back', 'id: 7\n\nid\n\n', undefined],
  ['before any event is complete', 'id: 7\ndata: {}\n', undefined],
];

for (const [title, stream, id] of ids) {
  test(`the id ${title}: a stream is resumed after ${id === undefined ? 'no event' : JSON.stringify(id)}`, () => {
    for (const pieces of splitsOf(stream)) {
      const reader = new EventStreamReader();
      for (const piece of pieces) {
        reader.push(piece);
      }
      assert.equal(reader.lastEventId, id);
    }
  });
}

test('the pause before a stream is resumed is the last valid one, as soon as its line is complete', () => {
  const reader = new EventStreamReader();
  assert.equal(reader.retryMs, undefined);
  for (const [text, retryMs] of [
    ['retry: 50', undefined],
    ['0\n', 500],
    ['retry:1000\r\n', 1000],
    ['retry: soon\nretry: -1\nretry: 1.5\nretry:\nretry: 99999999999\n', 1000],
  ] as const) {
    reader.push(Buffer.from(text));
    assert.equal(reader.retryMs, retryMs);
  }
});

const brokenOff = ['data: {"id":9,', 'data: {"id":9}\nda', 'event: ping\n', 'id: 8\n', 'data: {}\r'];

for (const text of brokenOff) {
  test(`after a stream that broke off behind ${JSON.stringify(text)} the next one is read from its beginning`, () => {
    const reader = new EventStreamReader();
    reader.push(Buffer.from(`id: 7\ndata: ${request}\n\n${text}`));
    reader.dropEvent();
    assert.equal(reader.lastEventId, '7');
    assert.deepEqual(reader.push(Buffer.from(`\uFEFFdata: ${message}\n\n`)), [one]);
    assert.equal(reader.lastEventId, '7');
  });
}

test('an event may contain more messages than a call can have arguments', () => {
  const count = 200_000;
  const found = new EventStreamReader().push(Buffer.from(`data: [${`${message},`.repeat(count)}${request}]\n\n`));
  assert.equal(found.length, count + 1);
});

test('of a line that is not data, only 64 KiB are kept, and what follows is still read', () => {
  const reader = new EventStreamReader();
  const long = 'x'.repeat(100_000);
  const stream = Buffer.from(`: ${long}\nid: ${long}\ndata: ${message}\n\n`);
  assert.deepEqual(
    [stream.subarray(0, 150_000), stream.subarray(150_000)].flatMap((piece) => reader.push(piece)),
    [one],
  );
  assert.equal(`id: ${reader.lastEventId}`.length, 65_536);
});

test('the data of a whole body is that of each of its events', () => {
  assert.deepEqual(eventData('data: a\ndata:b\n\nevent: x\r\ndata:  c\r\n\r\n: no\rid: 1\r\rdata: d'), [
    'a\nb',
    ' c',
    'd',
  ]);
});
