import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { displayReason } from '../../../src/oauth/errorResponse.ts';
import type { Client } from '../../../src/oauth/model.ts';
import { fails } from './failing.ts';
import type { Received } from './loopbackServer.ts';
import { tokenServer } from './tokenServer.ts';

const code = 'user:grant:code+/%';
const clientSecret = 'h"nt&r <2> ünß\\';
const secrets = [code, clientSecret].map((value) => new Secret(value));
const bytes = (text: string): number[] => [...Buffer.from(text)];
const hex = (text: string): string => Buffer.from(text).toString('hex');

/** How a server may write what it received. */
const encodings: Record<string, (text: string) => string> = {
  'as it is': (text) => text,
  percent: encodeURIComponent,
  'percent, in lower case': (text) => encodeURIComponent(text).replace(/%../g, (run) => run.toLowerCase()),
  'percent, every character': (text) =>
    bytes(text)
      .map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
      .join(''),
  'percent, twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'percent, but for slashes': (text) => encodeURIComponent(text).replaceAll('%2F', '/'),
  'percent, but for plus signs': (text) => encodeURIComponent(text).replaceAll('%2B', '+'),
  form: (text) => new URLSearchParams({ '': text }).toString().slice(1),
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  'JSON, twice': (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
  'JSON, with slashes escaped': (text) => JSON.stringify(text).replaceAll('/', '\\/'),
  'JSON, every character': (text) => writeEach(text, (unit) => `\\u${unit.toString(16).padStart(4, '0')}`),
  'JSON, every character, in upper case': (text) =>
    writeEach(text, (unit) => `\\u${unit.toString(16).padStart(4, '0').toUpperCase()}`),
  'the escapes of Python': (text) => writeEach(text, (unit) => `\\x${unit.toString(16).padStart(2, '0')}`),
  HTML: (text) => text.replace(/[&<>"']/g, (mark) => named[mark] ?? ''),
  'HTML, with numbers': (text) => writeEach(text, (unit) => `&#${unit};`),
  'HTML, with hexadecimal numbers': (text) => writeEach(text, (unit) => `&#x${unit.toString(16)};`),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64, after another text': (text) => Buffer.from(`c:${text}`).toString('base64'),
  'base64, before another text': (text) => Buffer.from(`${text}:c`).toString('base64'),
  'base64, directly after 1 letter': (text) => `x${Buffer.from(text).toString('base64')}`,
  'base64, directly after 2 letters': (text) => `xy${Buffer.from(text).toString('base64')}`,
  'base64, directly after 3 letters': (text) => `xyz${Buffer.from(text).toString('base64')}`,
  base64url: (text) => Buffer.from(`id:${text}`).toString('base64url'),
  'base64 of form': (text) => Buffer.from(new URLSearchParams({ c: text }).toString()).toString('base64'),
  'base64, then percent': (text) => encodeURIComponent(Buffer.from(text).toString('base64')),
  hex,
  'hex, in upper case': (text) => hex(text).toUpperCase(),
  'hex, after another digit': (text) => `0${hex(text)}`,
  'split by invisible characters': (text) => [...text].join('\u200b'),
  'split by invisible characters, then percent': (text) => encodeURIComponent([...text].join('\u200b')),
};

const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function writeEach(text: string, write: (unit: number) => string): string {
  return [...text].map((character) => write(character.charCodeAt(0))).join('');
}

for (const [name, encode] of Object.entries(encodings)) {
  test(`a code or client secret that a server quotes is not shown; encoding: ${name}`, () => {
    for (const value of [code, clientSecret]) {
      const encoded = encode(value);
      const reason = displayReason(`Wrong value ${encoded} given`, secrets);
      // Where a secret spans several words, nothing of the text is left.
      const expected = encoded !== value && /\s/.test(encoded) ? '[secret]' : 'Wrong value [secret] given';
      assert.equal(reason, expected, encoded);
    }
  });
}

const quotes: Record<string, (received: Received) => string> = {
  'its body': ({ body }) => body,
  'its body as JSON': ({ body }) => JSON.stringify({ body }),
  'its fields as JSON': ({ form }) => JSON.stringify(form),
  'its fields as JSON within JSON': ({ form }) => JSON.stringify({ form: JSON.stringify(form) }),
  'its body as HTML': ({ body }) => body.replaceAll('&', '&amp;'),
  'its body in base64': ({ body }) => Buffer.from(body).toString('base64'),
  'its Authorization header': ({ headers }) => headers.authorization ?? '',
};

for (const [what, quote] of Object.entries(quotes)) {
  for (const authMethod of ['client_secret_basic', 'client_secret_post'] as const) {
    test(`a server that quotes ${what} gets no secret shown (${authMethod})`, async (t) => {
      const server = await tokenServer(t, (received) => ({
        status: 400,
        body: { error: 'invalid_request', error_description: `Bad: ${quote(received)}` },
      }));
      const client: Client = { clientId: 'c', clientSecret: new Secret('a+b/c d'), authMethod };
      const { details } = await fails(() => server.exchange(client), 'serverRejected');
      const shown = details.serverReason ?? '';
      const readable = [shown, ...shown.split(/[^\w+/%=-]+/).map((word) => Buffer.from(word, 'base64').toString())];
      for (const form of ['a+b/c d', 'a%2Bb%2Fc+d', 'a%2Bb%2Fc%20d', code, 'code%2B%2F%25', 'verifier-1']) {
        assert.ok(!readable.some((text) => text.includes(form)), shown);
      }
    });
  }
}

test('what a server says beside a secret is still shown', () => {
  const reason = displayReason(
    'The value user%3Agrant%3Acode%2B%2F%25 is unknown, 100 % sure; C:\\new, AT&amp;T',
    secrets,
  );
  assert.equal(reason, 'The value [secret] is unknown, 100 % sure; C:\\new, AT&amp;T');
});

test('a secret that cleaning a text would put together is not shown', () => {
  assert.doesNotMatch(displayReason('Wrong: a$(b)', [new Secret('a(b)')]), /a\(b/);
});

test('a secret that ends beyond what is read of a text is not shown in part', () => {
  const long = 'x'.repeat(3_993);
  assert.doesNotMatch(displayReason(`${long} hunter22`, [new Secret('hunter22')]), /hunt/);
});
