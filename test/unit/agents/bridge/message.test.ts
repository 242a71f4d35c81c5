import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Message, readMessage } from '../../../../src/agents/bridge/message.ts';
import { MessageReader } from '../../../../src/mcp/messageReader.ts';

function read(text: string): Message | undefined {
  const bytes = Buffer.from(text);
  return readMessage({ bytes, outlines: new MessageReader().push(bytes) });
}

const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };

test('a request keeps its id as it was written', () => {
  for (const id of ['1', '1.0', '-0', '9007199254740993', '"server-discover-probe-1"', '"\\u0061"', 'null']) {
    const message = read(`{"method":"initialize","params":{},"jsonrpc":"2.0","id":${id}}`);
    assert.deepEqual([message?.kind, message?.id, message?.method], ['request', id, 'initialize']);
  }
});

test('a notification and a response are told from a request', () => {
  assert.equal(read('{"jsonrpc":"2.0","method":"notifications/initialized"}')?.kind, 'notification');
  assert.equal(read('{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}')?.kind, 'response');
});

test('a request of revision 2026-07-28 has the headers that mirror its body', () => {
  const params = { name: 'größer', arguments: {}, _meta: meta };
  const message = read(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }));
  assert.deepEqual(message?.modernHeaders, {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': `=?base64?${Buffer.from('größer').toString('base64')}?=`,
  });
});

test('the headers name a later revision that a request is of', () => {
  const params = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' } };
  const message = read(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params }));
  assert.equal(message?.modernHeaders?.['mcp-protocol-version'], '2027-01-01');
});

test('a request of an older revision has no such headers', () => {
  const params = { _meta: { progressToken: 1 }, protocolVersion: '2026-07-28' };
  assert.equal(read(JSON.stringify({ id: 1, method: 'initialize', params }))?.modernHeaders, undefined);
  assert.equal(read('{"id":1,"method":"tools/list"}')?.modernHeaders, undefined);
});

test('only what changes nothing at the server can be repeated', () => {
  assert.equal(read('{"id":1,"method":"tools/list"}')?.isRepeatable, true);
  assert.equal(read('{"id":1,"method":"tools/call"}')?.isRepeatable, false);
  assert.equal(read('{"id":1,"method":"of/later/revisions"}')?.isRepeatable, false);
});

for (const line of [
  'junk',
  '{"id":1,',
  '[{"id":1,"method":"ping"}]',
  '{"id":{},"method":"ping"}',
  '{}',
  '"x"',
  '{"id":1,"method":"ping","x":tru}',
]) {
  test(`${line} is no message`, () => assert.equal(read(line), undefined));
}
