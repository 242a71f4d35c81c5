import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnnouncedSignIns } from '../../../src/signIn/announcedSignIns.ts';
import { FakeClock } from '../fakeClock.ts';

const limitMs = 5 * 60_000;

/** Two windows that share a value, whose writing may fail. */
function open() {
  const clock = new FakeClock();
  let value: Readonly<Record<string, number>> = {};
  const storage = { isFull: false };
  const set = async (next: Readonly<Record<string, number>>): Promise<void> => {
    if (storage.isFull) {
      throw new Error('full');
    }
    value = next;
  };
  const window = () => new AnnouncedSignIns({ get: () => value, set }, clock);
  return { clock, storage, window: window(), other: window(), hashes: () => Object.keys(value) };
}

test('a sign-in is known in another window until it is over', async () => {
  const { window, other } = open();
  await window.add('state');
  assert.equal(await other.includesAny(['foreign', 'state']), true);
  assert.equal(await other.includesAny(['foreign']), false);
  assert.equal(await other.includesAny([]), false);
  await window.remove('state');
  assert.equal(await other.includesAny(['state']), false);
});

test('the announcements of two windows do not replace each other', async () => {
  const { window, other } = open();
  await window.add('first');
  await other.add('second');
  await window.remove('first');
  assert.deepEqual([await window.includesAny(['second']), await other.includesAny(['first'])], [true, false]);
});

test('an announcement whose window died is over after the time limit of a sign-in, and is then removed', async () => {
  const { clock, window, other, hashes } = open();
  await window.add('state');
  clock.advance(limitMs - 1);
  assert.equal(await other.includesAny(['state']), true);
  clock.advance(1);
  assert.equal(await other.includesAny(['state']), false);
  await other.add('next');
  assert.equal(hashes().length, 1);
});

test('of more sign-ins than anybody starts, the last twenty are announced', async () => {
  const { window, other, hashes } = open();
  const states = Array.from({ length: 25 }, (_, index) => `state ${index}`);
  await Promise.all(states.map((state) => window.add(state)));
  assert.equal(hashes().length, 20);
  assert.equal(await other.includesAny(states.slice(0, 5)), false);
  assert.equal(await other.includesAny(['state 5']), true);
});

test('a storage that is full costs an announcement, and nothing else', async () => {
  const { storage, window, other } = open();
  storage.isFull = true;
  await window.add('lost');
  storage.isFull = false;
  await window.add('state');
  assert.deepEqual([await other.includesAny(['lost']), await other.includesAny(['state'])], [false, true]);
});
