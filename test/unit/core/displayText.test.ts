import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayText } from '../../../src/core/displayText.ts';

test('text for display becomes one line of plain characters', () => {
  for (const [raw, plain] of [
    ['  Ada \r\n\t Lovelace  ', 'Ada Lovelace'],
    ['a\u2028b\u2029c\u00a0d', 'a b c d'],
    ['a\u0000\u0007\u001b[31mb', 'a[31mb'],
    ['\u202eevil\u202c \u2066x\u2069', 'evil x'],
    ['zero\u200bwidth\ufeff', 'zerowidth'],
    ['$(trash) $$(a) $((', '(trash) (a) (('],
    ['[x](command:evil) ![y](https://z) [a][b]', '[x] (command:evil) ![y] (https://z) [a] [b]'],
    ['<script>`x`', "'script''x'"],
    ['half \ud83d', 'half \ufffd'],
    ['日本語 Ωmega naïve', '日本語 Ωmega naïve'],
    ['', ''],
  ] as const) {
    assert.equal(displayText(raw, 60), plain);
  }
});

test('text for display is truncated between characters and ends with an ellipsis', () => {
  assert.equal(displayText('x'.repeat(60), 60), 'x'.repeat(60));
  assert.equal(displayText('x'.repeat(61), 60), `${'x'.repeat(59)}…`);
  assert.equal(displayText('🎉'.repeat(10_000), 60), `${'🎉'.repeat(59)}…`);
});
