import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from '../../../src/core/secret.ts';

const value = 'user:grant:correct-horse-battery-staple';

test('no ordinary way to turn a secret into text shows its value', () => {
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

test('a secret gives back its value only when it is asked to reveal it', () => {
  assert.equal(new Secret(value).reveal(), value);
});

test('secrets are equal when their values are', () => {
  assert.equal(new Secret(value).equals(new Secret(value)), true);
  assert.equal(new Secret(value).equals(new Secret(`${value}.`)), false);
});
