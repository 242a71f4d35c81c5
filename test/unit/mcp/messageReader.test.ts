import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MessageReader, type Outline } from '../../../src/mcp/messageReader.ts';
import { splitsOf } from './splits.ts';

const mebibyte = 1_048_576;

const messages: [title: string, body: string, expected: Outline[]][] = [
  ['a request', '{"jsonrpc":"2.0","id":1,"method":"m"}', [{ kind: 'request', id: '1', method: 'm' }]],
  ['a request with the id 0', '{"id":0,"method":"m"}', [{ kind: 'request', id: '0', method: 'm' }]],
  ['a request with the id null', '{"id":null,"method":"m"}', [{ kind: 'request', id: 'null', method: 'm' }]],
  ['a notification', '{"jsonrpc":"2.0","method":"m"}', [{ kind: 'notification', method: 'm' }]],
  ['a response', '{"jsonrpc":"2.0","id":"a","result":{}}', [{ kind: 'response', id: '"a"' }]],
  ['an error response', '{"id":null,"error":{"code":1,"message":""}}', [{ kind: 'response', id: 'null' }]],
  ['a response without an id', '{"result":{}}', [{ kind: 'invalid' }]],
  ['an id without method and result', '{"id":1}', [{ kind: 'invalid' }]],
  ['a request whose id is an object', '{"id":{},"method":"m"}', [{ kind: 'invalid', method: 'm' }]],
  ['a request whose id is a Boolean', '{"id":true,"method":"m"}', [{ kind: 'invalid', method: 'm' }]],
  ['a request whose id is no JSON', '{"id":01,"method":"m"}', [{ kind: 'invalid', method: 'm' }]],
  ['a method that is not a string', '{"id":1,"method":1}', [{ kind: 'invalid' }]],
  ['an empty object', '{}', [{ kind: 'invalid' }]],
  ['an empty batch', '[]', []],
  [
    'a batch',
    '[{"id":1,"method":"m"},{"method":"n"},{"id":2,"result":[]}]',
    [
      { kind: 'request', id: '1', method: 'm' },
      { kind: 'notification', method: 'n' },
      { kind: 'response', id: '2' },
    ],
  ],
  [
    'invalid messages in a batch, of which one is reported',
    '[5,[{"id":1,"method":"m"}],{},{"id":2,"method":"m"},"x"]',
    [{ kind: 'invalid' }, { kind: 'request', id: '2', method: 'm' }],
  ],
  [
    'ids and methods inside of parameters and strings, which are ignored',
    '{"params":{"id":5,"method":"x","a":[{"id":6}]},"id":1,"text":"\\"id\\":7,","method":"m","meta":{"id":8}}',
    [{ kind: 'request', id: '1', method: 'm' }],
  ],
  [
    'names and methods with escapes',
    String.raw`{"\u0069d":1,"m\u0065thod":"tools\/call"}`,
    [{ kind: 'request', id: '1', method: 'tools/call' }],
  ],
  [
    'repeated members, of which the last counts',
    '{"id":1,"method":"a","id":{},"method":"b","id":2}',
    [{ kind: 'request', id: '2', method: 'b' }],
  ],
  ['a repeated id whose last value is invalid', '{"id":1,"method":"m","id":[]}', [{ kind: 'invalid', method: 'm' }]],
  [
    'a byte order mark and white space',
    '\uFEFF\r\n\t {\r\n "id" :\t1 ,\n"method": "m" }\r\n',
    [{ kind: 'request', id: '1', method: 'm' }],
  ],
  [
    'characters of several bytes',
    '{"id":"ä€😀","params":"ä\\u00e4\\\\","method":"é"}',
    [{ kind: 'request', id: '"ä€😀"', method: 'é' }],
  ],
];

for (const [title, body, expected] of messages) {
  test(`${title}: a body is read to the same messages in whatever pieces it arrives`, () => {
    for (const pieces of splitsOf(body)) {
      assert.deepEqual(read(pieces), { found: expected, isComplete: true, isBroken: false });
    }
  });
}

test('an id is kept exactly as it was written', () => {
  for (const id of ['1', '1.0', '1e2', '-0', '"1"', '""', '"\\u00e4"', '"a\\"b\\\\"', '9007199254740993', 'null']) {
    for (const body of [`{"id":${id},"method":"m"}`, `{"method":"m","id": ${id} }`]) {
      assert.deepEqual(read([Buffer.from(body)]).found, [{ kind: 'request', id, method: 'm' }]);
    }
  }
});

test('a batch is recognized from its first byte, and a message is none', () => {
  for (const [body, isBatch] of [
    [' [', true],
    ['{"params":[1]', false],
  ] as const) {
    const reader = new MessageReader();
    reader.push(Buffer.from(body));
    assert.equal(reader.isBatch, isBatch);
  }
});

test('a body that is not at its end is neither complete nor broken', () => {
  const body = '[{"id":1,"params":{"a":[true,-1.5e+3,"x\\n"]},"method":"m"}]';
  for (let length = 0; length < body.length; length += 1) {
    const { isComplete, isBroken } = read([Buffer.from(body.slice(0, length))]);
    assert.deepEqual({ isComplete, isBroken }, { isComplete: false, isBroken: false }, body.slice(0, length));
  }
});

const broken = ['<!doctype html>', '"text"', '5', 'null', '{}{}', '{}x', '[1,]', '[,1]', '[1 2]', '{"a":1,}', '{,}'];
const brokenInside = [
  '{"a" 1}',
  '{"a":}',
  '{"a",1}',
  '{a:1}',
  '{"a":1]',
  '[1}',
  '{"a":[}',
  '[{]',
  '{"a":1 "b":2}',
  ']',
];

for (const body of [...broken, ...brokenInside, '{"a":NaN}', 'data: {}']) {
  test(`${body} is broken and stays so, in whatever pieces it arrives`, () => {
    for (const pieces of splitsOf(`${body} {"id":1,"method":"m"}`)) {
      const { isComplete, isBroken } = read(pieces);
      assert.deepEqual({ isComplete, isBroken }, { isComplete: false, isBroken: true });
    }
  });
}

test('an id or a method longer than 64 KiB makes a message invalid, and what follows is still read', () => {
  const long = 'x'.repeat(65_536);
  const { found, isComplete } = read([
    Buffer.from(`[{"id":"${long}","method":"m"},{"id":1,"method":"${long}"},{"id":2,"${long}":3,"method":"m"}]`),
  ]);
  assert.deepEqual(found, [
    { kind: 'invalid', method: 'm' },
    { kind: 'request', id: '2', method: 'm' },
  ]);
  assert.ok(isComplete);
});

test('nesting is followed to a depth of 10,000, and is broken beyond', () => {
  const nested = (depth: number) => Buffer.from(`{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`);
  assert.ok(read([nested(10_000)]).isComplete);
  assert.ok(read([nested(10_001)]).isBroken);
});

const large: [title: string, beginning: string, unit: string, end: string, megabytes: number][] = [
  ['a batch of 3 million numbers', '[', '1,', '1]', 6],
  ['a batch of 2 million empty objects', '[', '{},', '{}]', 6],
  ['a batch of 600,000 objects with invalid ids', '[', '{"id":{}},', '{}]', 6],
  ['16 million open brackets', '', '[', '', 16],
  ['a string of 16 MB', '{"id":1,"method":"m","params":"', 'x', '"}', 16],
  ['an id of 16 MB', '{"method":"m","id":"', 'x', '"}', 16],
  ['a name of 16 MB', '{"id":1,"method":"m","', 'x', '":1}', 16],
];

for (const [title, beginning, unit, end, megabytes] of large) {
  test(`${title}: reading takes less than 2 MB of memory and keeps no piece of the body`, async () => {
    const text = unit.repeat(Math.ceil(65_536 / unit.length));
    const reader = new MessageReader();
    const before = heapAfterCollection();
    let outlines = reader.push(Buffer.from(beginning)).length;
    const pieces: WeakRef<Uint8Array>[] = [];
    while (pieces.length < (megabytes * mebibyte) / text.length) {
      const piece = Uint8Array.from(Buffer.from(text));
      outlines += reader.push(piece).length;
      pieces.push(new WeakRef(piece));
    }
    // An object that a weak reference has led to is collected in a later turn.
    await setImmediate();
    const growth = heapAfterCollection() - before;
    const kept = pieces.filter((piece) => piece.deref() !== undefined).length;
    outlines += reader.push(Buffer.from(end)).length;
    assert.ok(growth < 2 * mebibyte, `${growth} bytes`);
    assert.ok(kept <= 1, `${kept} pieces are kept`);
    assert.ok(outlines <= 1);
  });
}

function read(pieces: readonly Uint8Array[]): { found: Outline[]; isComplete: boolean; isBroken: boolean } {
  const reader = new MessageReader();
  const found = pieces.flatMap((piece) => reader.push(piece));
  return { found, isComplete: reader.isComplete, isBroken: reader.isBroken };
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}
