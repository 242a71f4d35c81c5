import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { messagesOf } from '../../../../src/agents/bridge/responseMessages.ts';
import { splitsOf } from '../../mcp/splits.ts';

const events = 'text/event-stream; charset=utf-8';
const json = 'application/json';

function responseOf(pieces: Iterable<Uint8Array>, contentType: string): IncomingMessage {
  return Object.assign(Readable.from(pieces), {
    headers: { 'content-type': contentType },
  }) as unknown as IncomingMessage;
}

async function textsOf(pieces: Iterable<Uint8Array>, contentType: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of messagesOf(responseOf(pieces, contentType))) {
    texts.push(text);
  }
  return texts;
}

const first = '{"jsonrpc":"2.0","method":"a","params":{"text":"ä€😀"}}';
const second = '{"jsonrpc":"2.0","id":9007199254740993,"result":{}}';

for (const [name, text] of Object.entries({
  LF: `data: ${first}\n\ndata:${second}\n\n`,
  'CR LF': `event: message\r\ndata: ${first}\r\n\r\ndata: ${second}\r\n\r\n`,
  CR: `data: ${first}\r\rdata: ${second}\r\r`,
  'mixed line ends': `data: ${first}\n\r\ndata: ${second}\r\n\n`,
  'comments, ids and a byte order mark': `\uFEFF: hello\n\nid: 1\ndata: ${first}\nretry: 5\n\n: x\nid: 2\ndata: ${second}\n\n`,
})) {
  test(`events with ${name} are read in whatever pieces they arrive`, async () => {
    for (const pieces of splitsOf(text)) {
      assert.deepEqual(await textsOf(pieces, events), [first, second]);
    }
  });
}

test('lines of data are joined to one message, also where CR LF is split', async () => {
  for (const pieces of splitsOf('data: {"jsonrpc":"2.0",\r\ndata: "id":1,"result":{}}\r\n\r\n')) {
    const texts = await textsOf(pieces, events);
    assert.deepEqual(
      texts.map((text) => JSON.parse(text)),
      [{ jsonrpc: '2.0', id: 1, result: {} }],
    );
  }
});

test('events of other types, without data or without a message in them are left out', async () => {
  const text = `event: brokenOff\ndata: ${first}\n\nevent: ping\n\ndata:\n\ndata: ping\n\ndata: 1\n\ndata: {"id":\n\ndata: ${second}\n\n`;
  assert.deepEqual(await textsOf([Buffer.from(text)], events), [second]);
});

test('a line separator within a text does not begin a line of the event', async () => {
  const text = '{"jsonrpc":"2.0","method":"a","params":{"text":"\u2028event: other\u2029data: x"}}';
  assert.deepEqual(await textsOf([Buffer.from(`data: ${text}\n\n`)], events), [text]);
});

test('an event that breaks off is left out', async () => {
  assert.deepEqual(await textsOf([Buffer.from(`data: ${first}\n\ndata: ${second}\n`)], events), [first]);
});

test('a message of 10 MiB arrives whole and soon, as an event and as JSON', async () => {
  const message = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text: 'ü'.repeat(5 * 1024 * 1024) } });
  for (const [type, text] of [
    [events, `data: ${message}\n\n`],
    [json, message],
  ] as const) {
    const bytes = Buffer.from(text);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 16_384) }, (_, index) =>
      bytes.subarray(index * 16_384, (index + 1) * 16_384),
    );
    const startMs = performance.now();
    const [found] = await textsOf(pieces, type);
    assert.ok(found === message);
    assert.ok(performance.now() - startMs < 2_000, 'the time grows with the length, not with its square');
  }
});

test('JSON is read in whatever pieces it arrives, without its byte order mark', async () => {
  for (const pieces of splitsOf(`\uFEFF${first}`)) {
    assert.deepEqual(await textsOf(pieces, json), [first]);
  }
});

test('a byte order mark within an event is not passed on', async () => {
  assert.deepEqual(await textsOf([Buffer.from(`data: \uFEFF${first}\n\n`)], events), [first]);
});

test('messages in an array become single messages, as JSON and as an event', async () => {
  const batch = `[1, ${first}, [${second}], {"jsonrpc":"2.0","id":"x","result":{}}]`;
  const expected = [first, '{"jsonrpc":"2.0","id":"x","result":{}}'];
  assert.deepEqual(await textsOf([Buffer.from(batch)], json), expected);
  assert.deepEqual(await textsOf([Buffer.from(`data: ${batch}\n\n`)], events), expected);
});

for (const text of ['', '  ', '<html>', '{"jsonrpc":"2.0","id":1', '"x"', '[', '{}x']) {
  test(`a body that is no message (${JSON.stringify(text)}) is left out`, async () => {
    assert.deepEqual(await textsOf([Buffer.from(text)], json), []);
  });
}

test('a response that breaks off fails once the messages before that were read', async () => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`data: ${first}\n\ndata: `);
    throw new Error('aborted');
  }
  const found: string[] = [];
  await assert.rejects(
    async () => {
      for await (const { text } of messagesOf(responseOf(pieces() as unknown as Iterable<Uint8Array>, events))) {
        found.push(text);
      }
    },
    { message: 'aborted' },
  );
  assert.deepEqual(found, [first]);
});
