import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callbackReceiver } from '../../../src/editor/callbackReceiver.ts';
import type { CallbackResult } from '../../../src/signIn/channel.ts';

function open(result: CallbackResult, isWaiting = false) {
  const shown: [string, boolean][] = [];
  const receive = callbackReceiver({ receive: async () => result, isWaiting }, (...note) => shown.push(note));
  return { receive, shown };
}

for (const result of ['ended', 'otherWindow'] as const) {
  test(`each link of a sign-in that is not this window’s any more (${result}) shows a note, as the last one may have gone`, async () => {
    const { receive, shown } = open(result);
    await receive('');
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
