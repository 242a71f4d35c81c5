import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseScope, stepUpScopes, withOfflineAccess } from '../../../src/oauth/scopes.ts';

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
});
