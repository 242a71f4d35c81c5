import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callbackReceiver } from '../../../src/editor/callbackReceiver.ts';
import type { CallbackResult } from '../../../src/signIn/channel.ts';

function open(result: CallbackResult, isWaiting = false) {
  const shown: boolean[] = [];
  const closings: (() => void)[] = [];
  const receive = callbackReceiver({ receive: async () => result, isWaiting }, (isAnotherWaiting) => {
    shown.push(isAnotherWaiting);
    return new Promise((resolve) => closings.push(resolve));
  });
  return { receive, shown, closeNote: () => closings.shift()?.() };
}

test('however many links of a sign-in that ended arrive, one note is shown until it is closed', async () => {
  const { receive, shown, closeNote } = open('ended');
  await Promise.all(Array.from({ length: 1_000 }, () => receive('')));
  assert.deepEqual(shown, [false]);
  closeNote();
  await new Promise(setImmediate);
  await receive('');
  assert.deepEqual(shown, [false, false]);
});

test('the note about a sign-in that ended says whether another one is waiting', async () => {
  const { receive, shown } = open('ended', true);
  await receive('');
  assert.deepEqual(shown, [true]);
});

test('no other callback shows a note', async () => {
  for (const result of ['accepted', 'declined', 'unsafe', 'foreign'] as const) {
    const { receive, shown } = open(result);
    await receive('');
    assert.deepEqual(shown, [], result);
  }
});
