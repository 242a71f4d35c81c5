import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeLimitOf } from '../../../src/calls/timeLimits.ts';

const minuteMs = 60_000;
const minuteInAll = { limitMs: minuteMs, of: 'response' };
const halfHourOfSilence = { limitMs: 30 * minuteMs, of: 'silence' };

test('a request that takes seconds at any server, and a notification, must have its response within a minute', () => {
  for (const method of [
    'initialize',
    'server/discover',
    'ping',
    'tools/list',
    'prompts/list',
    'resources/list',
    'resources/templates/list',
    'notifications/initialized',
    'notifications/cancelled',
  ]) {
    assert.deepEqual(timeLimitOf('POST', new Set([method])), minuteInAll, method);
  }
});

test('a request that may take long, or is unknown, ends only after half an hour without a sign of the server', () => {
  for (const method of ['tools/call', 'prompts/get', 'resources/read', 'completion/complete', 'else', '']) {
    assert.deepEqual(timeLimitOf('POST', new Set([method])), halfHourOfSilence, method);
  }
});

test('a request that opens a stream for the server’s own messages has no limit', () => {
  assert.equal(timeLimitOf('POST', new Set(['subscriptions/listen'])), undefined);
});

test('a batch has the limit of the message in it that may take longest', () => {
  assert.deepEqual(timeLimitOf('POST', new Set(['tools/list', 'notifications/cancelled', 'ping'])), minuteInAll);
  assert.deepEqual(timeLimitOf('POST', new Set(['tools/list', 'tools/call', 'ping'])), halfHourOfSilence);
  assert.equal(timeLimitOf('POST', new Set(['tools/list', 'tools/call', 'subscriptions/listen', 'ping'])), undefined);
});

test('a body without a method, which may not even be readable, may take long', () => {
  assert.deepEqual(timeLimitOf('POST', new Set()), halfHourOfSilence);
});

test('a GET has no limit, and a DELETE must have its response within a minute', () => {
  assert.equal(timeLimitOf('GET', new Set()), undefined);
  assert.deepEqual(timeLimitOf('DELETE', new Set()), minuteInAll);
});
