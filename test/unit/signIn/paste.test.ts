import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandomness } from '../../../src/core/random.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { CallbackResult } from '../../../src/signIn/channel.ts';
import { openPasteChannel, type PasteVerdict, readPasted } from '../../../src/signIn/paste.ts';

const address = 'http://127.0.0.1:50123/callback?code=user%3Agrant%3Asecret&state=abc%3D';
const query = 'code=user%3Agrant%3Asecret&state=abc%3D';

test('the answer is found in the address, in its query alone, and however it was wrapped or quoted', () => {
  const ways = [
    address,
    `  ${address}\n`,
    `<${address}>`,
    `“${address}”`,
    address.replace('secret&', 'sec\r\n   ret&'),
    query,
    `?${query}`,
    `${address}#fragment`,
  ];
  for (const text of ways) {
    assert.equal(readPasted(text), query, text);
  }
});

test('a refusal of the server is an answer too', () => {
  assert.equal(readPasted('http://127.0.0.1:1/callback?error=access_denied&state=s'), 'error=access_denied&state=s');
});

test('text without a code and its state is no answer', () => {
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

test('the browser is sent to an address of its own machine, another one each time', () => {
  const addresses = new Set(
    Array.from({ length: 50 }, () => openPasteChannel(async () => true, systemRandomness).redirectUri),
  );
  assert.ok(addresses.size > 10);
  for (const each of addresses) {
    const { protocol, hostname, port } = new URL(each);
    assert.deepEqual([protocol, hostname, Number(port) >= 49_152], ['http:', '127.0.0.1', true]);
  }
});

test('each pasted text gets its verdict until the right one', async () => {
  const verdicts: PasteVerdict[] = [];
  const channel = openPasteChannel(async (judge) => {
    for (const text of ['invalidResponse', 'code=a&state=foreign', address]) {
      verdicts.push(await judge(text));
    }
    return true;
  }, systemRandomness);
  const receive = async (answer: string): Promise<CallbackResult> => (answer === query ? 'accepted' : 'foreign');
  await channel.collect?.(receive, new AbortController().signal);
  assert.deepEqual(verdicts, ['unreadable', 'foreign', 'accepted']);
});

test('closing the input ends the sign-in as cancelled', async () => {
  const channel = openPasteChannel(async () => false, systemRandomness);
  const collecting = channel.collect?.(async () => 'foreign', new AbortController().signal);
  await assert.rejects(
    async () => collecting,
    (error) => error instanceof Failure && error.kind === 'cancelled',
  );
});
