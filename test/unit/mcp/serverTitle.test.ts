import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withServerTitle } from '../../../src/mcp/serverTitle.ts';

const title = 'Notion 2 – "Docs"';
const written = JSON.stringify(title);

const titled: [title: string, before: string, after: string][] = [
  [
    'is replaced',
    '{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"n","title":"Notion","version":"1"}}}',
    `{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"n","title":${written},"version":"1"}}}`,
  ],
  [
    'is added',
    '{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"n"}}}',
    `{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"title":${written},"name":"n"}}}`,
  ],
  ['is added to an empty object', '{"result":{"serverInfo":{ }}}', `{"result":{"serverInfo":{"title":${written} }}}`],
  [
    'is replaced, whatever its value is',
    '{"result":{"serverInfo":{"title" : {"a":["}",{}]} ,"name":null}}}',
    `{"result":{"serverInfo":{"title" : ${written} ,"name":null}}}`,
  ],
  [
    'is given in the metadata of a result, where revision 2026-07-28 has it',
    '{"result":{"_meta":{"a/serverInfo":{},"io.modelcontextprotocol/serverInfo":{"name":"n"}}}}',
    `{"result":{"_meta":{"a/serverInfo":{},"io.modelcontextprotocol/serverInfo":{"title":${written},"name":"n"}}}}`,
  ],
  [
    'is given in both places',
    '{"result":{"_meta":{"io.modelcontextprotocol/serverInfo":{}},"serverInfo":{"title":""}}}',
    `{"result":{"_meta":{"io.modelcontextprotocol/serverInfo":{"title":${written}}},"serverInfo":{"title":${written}}}}`,
  ],
  [
    'is found by names with escapes',
    String.raw`{"\u0072esult":{"serverInf\u006f":{"titl\u0065":"x"}}}`,
    String.raw`{"\u0072esult":{"serverInf\u006f":{"titl\u0065":${written}}}}`,
  ],
  [
    'is given to the last of repeated members, which is the one that counts',
    '{"result":1,"result":{"serverInfo":{"title":"a"},"serverInfo":{"title":"b","title":"c"}}}',
    `{"result":1,"result":{"serverInfo":{"title":"a"},"serverInfo":{"title":"b","title":${written}}}}`,
  ],
  [
    'is given without a change of white space, order, numbers and escapes',
    '\uFEFF\r\n{ "result" :\t{"z":12345678901234567890.10, "a":"\\u00e4\\"}{\\\\", "serverInfo" : {\n"name":"\\/"} , "b":[1E2]}\n}\n',
    `\uFEFF\r\n{ "result" :\t{"z":12345678901234567890.10, "a":"\\u00e4\\"}{\\\\", "serverInfo" : {"title":${written},\n"name":"\\/"} , "b":[1E2]}\n}\n`,
  ],
];

for (const [name, before, after] of titled) {
  test(`a server’s title ${name}`, () => {
    assert.equal(withServerTitle(before, title), after);
  });
}

const unchanged: [title: string, message: string][] = [
  ['an error response', '{"id":1,"error":{"code":1,"message":"m","data":{"serverInfo":{"title":"x"}}}}'],
  ['a request', '{"id":1,"method":"m","params":{"serverInfo":{"title":"x"}}}'],
  ['a batch', '[{"id":1,"result":{"serverInfo":{"title":"x"}}}]'],
  ['a result without a server', '{"id":1,"result":{"tools":[]}}'],
  [
    'a server that is no object',
    '{"result":{"serverInfo":[{"title":"x"}],"_meta":"io.modelcontextprotocol/serverInfo"}}',
  ],
  ['a repeated result whose last one has no server', '{"result":{"serverInfo":{"title":"x"}},"result":null}'],
  [
    'a server that is named elsewhere',
    String.raw`{"serverInfo":{"title":"x"},"result":{"capabilities":{"serverInfo":{"title":"x"}},"instructions":"{\"serverInfo\":{\"title\":\"x\"}}","_meta":{"serverInfo":{"title":"x"}},"io.modelcontextprotocol/serverInfo":{"title":"x"}}}`,
  ],
  ['JSON that is cut off', '{"result":{"serverInfo":{"title":"x"}}'],
  ['text that is no JSON', 'Service unavailable {"result":{"serverInfo":{"title":"x"}}}'],
  ['an empty text', ''],
];

for (const [name, message] of unchanged) {
  test(`${name}: no title is changed`, () => {
    assert.equal(withServerTitle(message, title), message);
  });
}

test('a server’s title is given beside instructions of any length', () => {
  const message = JSON.stringify({ result: { instructions: '\n'.repeat(20_000_000), serverInfo: {} } });
  assert.ok(withServerTitle(message, title).endsWith(`"serverInfo":{"title":${written}}}}`));
});
