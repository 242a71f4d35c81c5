import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { callbackParameters, maxQueryLength } from '../../../src/signIn/callbackQuery.ts';

const state = 'q8V+Zk/0W1p7nB5uH2cX9aYd3eF4gT6iJkLmNoPqRsU=';
const isKnown = (candidate: string) => candidate === state;

test('a callback’s code is read correctly whether the query was encoded zero, one or two times', () => {
  for (const code of ['user:grant:secret', 'a+b/c=', '100%', 'per%cent', 'a%2Bb', 'ü ä', 'user:g%3Ax']) {
    for (const times of [0, 1, 2]) {
      const query = `code=${encode(code, times)}&state=${encode(state, times)}`;
      if (times === 0 && /[&#]/.test(code)) {
        continue;
      }
      assert.equal(callbackParameters(query, isKnown)?.get('code'), code, `${code} encoded ${times} times`);
    }
  }
});

test('any authorization code is restored exactly from a query that was encoded once or twice', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }), fc.constantFrom(1, 2), (code, times) => {
      fc.pre(code.isWellFormed());
      const query = `vscode-reqid=1&code=${encode(code, times)}&state=${encode(state, times)}&windowId=3`;
      assert.equal(callbackParameters(query, isKnown)?.get('code'), code);
    }),
  );
});

test('a duplicate code or state in a callback is preserved, so that validation can reject it', () => {
  const parameters = callbackParameters(`code=a&code=b&state=${encode(state, 1)}&state=other`, isKnown);
  assert.deepEqual(parameters?.getAll('code'), ['a', 'b']);
  assert.deepEqual(parameters?.getAll('state'), [state, 'other']);
});

test('a callback without a state, with an unknown state or with an over-encoded state is not recognised', () => {
  for (const query of [
    '',
    '?',
    'code=a',
    'code=a&state=',
    'code=a&state=zzz',
    `code=a&state=${encode(state, 3)}`,
    '&&&=&=',
  ]) {
    assert.equal(callbackParameters(query, isKnown), undefined, query);
  }
});

test('a callback’s query of more than 8,192 characters is refused by its length, before anything is read of it', () => {
  const padded = (length: number) => `state=${state}&code=`.padEnd(length, 'x');
  assert.notEqual(callbackParameters(padded(maxQueryLength), isKnown), undefined);
  assert.equal(callbackParameters(padded(maxQueryLength + 1), isKnown), undefined);
  assert.equal(callbackParameters(onlyLength(650_000_000), isKnown), undefined);
});

test('a callback with hundreds of parameters is refused before any of them is decoded', () => {
  const isNeverCalled = () => assert.fail('a parameter was read');
  assert.equal(callbackParameters('state=%&'.repeat(500), isNeverCalled), undefined);
  assert.equal(callbackParameters(`${'x=%&'.repeat(500)}state=${state}`, isNeverCalled), undefined);
});

test('reading a callback’s query never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (query) => {
      callbackParameters(query, isKnown);
    }),
  );
});

/** A text of which nothing but its length can be used. */
function onlyLength(length: number): string {
  return { length } as string;
}

function encode(text: string, times: number): string {
  return times === 0 ? text : encode(encodeURIComponent(text), times - 1);
}
