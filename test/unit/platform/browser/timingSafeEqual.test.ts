import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timingSafeEqual } from '../../../../src/platform/browser/timingSafeEqual.ts';

test('byte arrays are equal only if every byte is equal', () => {
  const bytes = Uint8Array.of(0, 128, 255);
  assert.equal(timingSafeEqual(bytes, Uint8Array.from(bytes)), true);
  for (const index of bytes.keys()) {
    const other = Uint8Array.from(bytes);
    other[index] = 7;
    assert.equal(timingSafeEqual(bytes, other), false);
  }
});
