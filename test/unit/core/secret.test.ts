import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from '../../../src/core/secret.ts';

const value = 'user:grant:correct-horse-battery-staple';

test('no ordinary conversion of a secret to text reveals its value', () => {
  const secret = new Secret(value);
  const error = new Error(`failed with ${secret}`, { cause: secret });
  const texts = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect({ deep: { deeper: [secret] } }, { depth: 9, showHidden: true }),
    format('%s %o %j', secret, secret, secret),
    inspect(error),
    Object.entries(secret).join(),
    inspect(structuredClone({ ...secret })),
  ];
  for (const text of texts) {
    assert.ok(!text.includes('correct-horse'), text);
  }
});

test('a secret returns its value only through reveal()', () => {
  assert.equal(new Secret(value).reveal(), value);
});

test('two secrets are equal if their values are equal', () => {
  assert.equal(new Secret(value).equals(new Secret(value)), true);
  assert.equal(new Secret(value).equals(new Secret(`${value}.`)), false);
});
