import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRepeatable } from '../../../src/calls/repeat.ts';

const safe = [
  'initialize',
  'server/discover',
  'ping',
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'notifications/initialized',
  'notifications/cancelled',
];

const unsafe = [
  'tools/call',
  'completion/complete',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'tasks/cancel',
  'TOOLS/LIST',
  'tools/list ',
  'notifications',
  '',
];

test('a POST can be sent a second time only if its message is known to change nothing', () => {
  const repeatable = [...safe, ...unsafe].filter((method) => isRepeatable('POST', new Set([method])));
  assert.deepEqual(repeatable, safe);
});

test('a batch can be sent a second time only if each message in it can', () => {
  assert.equal(isRepeatable('POST', new Set(safe)), true);
  for (const method of unsafe) {
    assert.equal(isRepeatable('POST', new Set([...safe, method])), false, method);
    assert.equal(isRepeatable('POST', new Set([method, ...safe])), false, method);
  }
});

test('a body without a method, which may not even be readable, cannot be sent a second time', () => {
  assert.equal(isRepeatable('POST', new Set()), false);
});

test('a GET and a DELETE can be sent a second time', () => {
  assert.equal(isRepeatable('GET', new Set()), true);
  assert.equal(isRepeatable('DELETE', new Set()), true);
});
