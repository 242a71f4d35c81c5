import assert from 'node:assert/strict';
import { test } from 'node:test';
import { includesScopes, parseScope, readScopes, stepUpScopes, withOfflineAccess } from '../../../src/oauth/scopes.ts';

test('A17: a step-up requests the union of the earlier and the challenged scopes', () => {
  assert.deepEqual(stepUpScopes(['read'], ['write', 'read']), ['read', 'write']);
  assert.deepEqual(stepUpScopes(undefined, ['write']), ['write']);
  assert.deepEqual(stepUpScopes(['read'], undefined), ['read']);
  assert.equal(stepUpScopes(undefined, undefined), undefined);
  assert.equal(stepUpScopes([], []), undefined);
});

test('A16: offline_access is added once, and only if the server lists it and scopes are requested', () => {
  assert.deepEqual(withOfflineAccess(['a'], ['offline_access']), ['a', 'offline_access']);
  assert.deepEqual(withOfflineAccess(['offline_access'], ['offline_access']), ['offline_access']);
  assert.deepEqual(withOfflineAccess(['a'], ['a']), ['a']);
  assert.equal(withOfflineAccess(undefined, ['offline_access']), undefined);
  assert.equal(withOfflineAccess([], ['offline_access']), undefined);
});

test('a missing, empty or malformed scope value yields no scopes', () => {
  assert.deepEqual(parseScope(' a  b '), ['a', 'b']);
  for (const scope of [undefined, null, '', '  ', 7, ['a']]) {
    assert.equal(parseScope(scope), undefined);
  }
  for (const scopes of [undefined, null, 'a', 7, {}, [], [7], [''], ['a b']]) {
    assert.equal(readScopes(scopes), undefined);
  }
});

test('scopes in responses and metadata are read by RFC 6749’s grammar, and each is kept once', () => {
  const scopes = [
    'read',
    'a:b/c.d',
    '[x](command:y)',
    '!~#',
    'read',
    'a"b',
    'a\\b',
    'naïve',
    'zero\u200bwidth',
    'a\u0000',
    'b',
  ];
  const valid = ['read', 'a:b/c.d', '[x](command:y)', '!~#', 'b'];
  assert.deepEqual(readScopes(scopes), valid);
  assert.deepEqual(parseScope(scopes.join(' ')), valid);
});

test('a scope that is too long is dropped, and so is every scope beyond the limit', () => {
  assert.deepEqual(parseScope(`a ${'x'.repeat(129)} ${'y'.repeat(128)}`), ['a', 'y'.repeat(128)]);
  const many = Array.from({ length: 10_000 }, (_, index) => `scope-${index}`);
  assert.deepEqual(readScopes(many), many.slice(0, 64));
  assert.deepEqual(parseScope(many.join(' ')), many.slice(0, 64));
});

test('scopes include earlier ones if each is among them, and count as enough where either is not known', () => {
  assert.equal(includesScopes(['read', 'write'], ['write']), true);
  assert.equal(includesScopes(['read'], ['read', 'write']), false);
  assert.equal(includesScopes([], ['read']), false);
  assert.equal(includesScopes(undefined, ['read']), true);
  assert.equal(includesScopes(['read'], undefined), true);
});
