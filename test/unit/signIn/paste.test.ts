import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandomness } from '../../../src/core/random.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { CallbackResult } from '../../../src/signIn/channel.ts';
import { openPasteChannel, type PasteVerdict, readPasted } from '../../../src/signIn/paste.ts';

const address = 'http://127.0.0.1:50123/callback?code=user%3Agrant%3Asecret&state=abc%3D';
const query = 'code=user%3Agrant%3Asecret&state=abc%3D';

test('a pasted callback is read from an address or a bare query, however it is wrapped or quoted', () => {
  const texts = [
    address,
    `  ${address}\n`,
    `<${address}>`,
    `“${address}”`,
    address.replace('secret&', 'sec\r\n   ret&'),
    query,
    `?${query}`,
    `${address}#fragment`,
  ];
  for (const text of texts) {
    assert.equal(readPasted(text), query, text);
  }
});

test('a pasted address with an OAuth error is read as a callback', () => {
  assert.equal(readPasted('http://127.0.0.1:1/callback?error=access_denied&state=s'), 'error=access_denied&state=s');
});

test('pasted text that lacks a state, or both code and error, is not read as a callback', () => {
  for (const text of [
    '',
    'hello',
    'http://127.0.0.1:50123/callback',
    'code=only',
    'state=only',
    'https://example.com/?q=1',
  ]) {
    assert.equal(readPasted(text), undefined, text);
  }
});

test('a pasted text that is too long for a callback is not read', () => {
  assert.equal(readPasted(address.padEnd(8_192, 'x')), query.padEnd(8_192 - address.length + query.length, 'x'));
  assert.equal(readPasted(address.padEnd(8_193, 'x')), undefined);
  assert.equal(readPasted({ length: 10_000_000 } as string), undefined, 'nothing but its length is used');
});

test('the paste channel redirects the browser to a loopback address with a random port from the dynamic range', () => {
  const addresses = new Set(
    Array.from({ length: 50 }, () => openPasteChannel(async () => true, systemRandomness).redirectUri),
  );
  assert.ok(addresses.size > 10);
  for (const each of addresses) {
    const { protocol, hostname, port } = new URL(each);
    assert.deepEqual([protocol, hostname, Number(port) >= 49_152], ['http:', '127.0.0.1', true]);
  }
});

test('each pasted text gets a verdict until one is accepted', async () => {
  const verdicts: PasteVerdict[] = [];
  const channel = openPasteChannel(async (judge) => {
    for (const text of ['not an address', 'code=a&state=foreign', address]) {
      verdicts.push(await judge(text));
    }
    return true;
  }, systemRandomness);
  const receive = async (received: string): Promise<CallbackResult> => (received === query ? 'accepted' : 'foreign');
  await channel.collect?.(receive, new AbortController().signal);
  assert.deepEqual(verdicts, ['unreadable', 'foreign', 'accepted']);
});

for (const [page, verdict] of [
  ['https://mcp.notion.com/callback?code=a&state=eyJzdGF0ZSI6ImFiYz0ifQ', 'earlierPage'],
  ['https://mcp.notion.com/authorize?client_id=a', 'earlierPage'],
  [' https://www.notion.so/login ', 'earlierPage'],
  ['http://127.0.0.1:50123/', 'unreadable'],
  ['code=a', 'unreadable'],
  ['vscode://seedling.notion-mcp-auth/callback?code=a&state=b', 'foreign'],
  ['http://127.0.0.1:50123/callback?code=a&state=b', 'foreign'],
] as const) {
  test(`the pasted text ${page} is judged as ${verdict}`, async () => {
    const verdicts: PasteVerdict[] = [];
    const channel = openPasteChannel(async (judge) => {
      verdicts.push(await judge(page));
      return true;
    }, systemRandomness);
    await channel.collect?.(async () => 'foreign', new AbortController().signal);
    assert.deepEqual(verdicts, [verdict]);
  });
}

test('the pasted callback of an earlier try in a web editor is not taken for Notion’s own page', async () => {
  const verdicts: PasteVerdict[] = [];
  const channel = openPasteChannel(async (judge) => {
    verdicts.push(await judge('https://editor.example/callback?code=a&state=b'));
    return true;
  }, systemRandomness);
  await channel.collect?.(async () => 'ended', new AbortController().signal);
  assert.deepEqual(verdicts, ['ended']);
});

test('closing the paste input box cancels the sign-in', async () => {
  const channel = openPasteChannel(async () => false, systemRandomness);
  const collecting = channel.collect?.(async () => 'foreign', new AbortController().signal);
  await assert.rejects(
    async () => collecting,
    (error) => error instanceof Failure && error.kind === 'cancelled',
  );
});
