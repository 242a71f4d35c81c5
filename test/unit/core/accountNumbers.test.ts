import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountNumbers, type NumberedAccounts } from '../../../src/core/accountNumbers.ts';

/** What windows share, and each of them may read too late. */
function sharedMemory(): NumberedAccounts & { ids: readonly string[] } {
  return {
    ids: [],
    get() {
      return this.ids;
    },
    set(ids) {
      this.ids = ids;
    },
  };
}

test('accounts are numbered from 1 in the order in which they are first named, and keep their numbers after a reload', () => {
  const memory = sharedMemory();
  const before = new AccountNumbers(memory);
  assert.deepEqual(
    ['b', 'a', 'b'].map((id) => before.of(id)),
    [1, 2, 1],
  );
  const after = new AccountNumbers(memory);
  assert.deepEqual(
    ['c', 'a', 'b'].map((id) => after.of(id)),
    [3, 2, 1],
  );
});

test('an account that another window has numbered gets that number, and a new one the next', () => {
  const memory = sharedMemory();
  const [one, other] = [new AccountNumbers(memory), new AccountNumbers(memory)];
  one.of('a');
  assert.deepEqual([other.of('b'), other.of('a'), one.of('b')], [2, 1, 2]);
});

test('numbers of a window change for nothing that another window writes, and are never given twice', () => {
  const memory = sharedMemory();
  const numbers = new AccountNumbers(memory);
  numbers.of('a');
  numbers.of('b');
  memory.ids = ['c', 'b'];
  assert.deepEqual(
    ['a', 'b', 'd', 'c'].map((id) => numbers.of(id)),
    [1, 2, 4, 3],
  );
});
