import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callbackReceiver } from '../../../src/editor/callbackReceiver.ts';
import type { CallbackResult } from '../../../src/signIn/channel.ts';

function open(result: CallbackResult, isWaiting = false) {
  const shown: [string, boolean][] = [];
  const closings: (() => void)[] = [];
  const receive = callbackReceiver({ receive: async () => result, isWaiting }, (kind, isAnotherWaiting) => {
    shown.push([kind, isAnotherWaiting]);
    return new Promise((resolve) => closings.push(resolve));
  });
  return { receive, shown, closeNote: () => closings.shift()?.() };
}

for (const result of ['ended', 'otherWindow'] as const) {
  test(`however many links of a sign-in arrive (${result}), one note is shown until it is closed`, async () => {
    const { receive, shown, closeNote } = open(result);
    await Promise.all(Array.from({ length: 1_000 }, () => receive('')));
    assert.deepEqual(shown, [[result, false]]);
    closeNote();
    await new Promise(setImmediate);
    await receive('');
    assert.deepEqual(shown, Array(2).fill([result, false]));
  });
}

test('the note about a sign-in that ended says whether another one is waiting', async () => {
  const { receive, shown } = open('ended', true);
  await receive('');
  assert.deepEqual(shown, [['ended', true]]);
});

test('no other callback shows a note', async () => {
  for (const result of ['accepted', 'declined', 'unsafe', 'repeated', 'foreign'] as const) {
    const { receive, shown } = open(result);
    await receive('');
    assert.deepEqual(shown, [], result);
  }
});
