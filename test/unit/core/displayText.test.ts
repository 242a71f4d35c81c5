import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayLines, displayText } from '../../../src/core/displayText.ts';

test('text for display becomes one line of plain characters', () => {
  for (const [raw, plain] of [
    ['  Ada \r\n\t Lovelace  ', 'Ada Lovelace'],
    ['a\u2028b\u2029c\u00a0d', 'a b c d'],
    ['a\u0000\u0007\u001b[31mb', 'a[31mb'],
    ['\u202eevil\u202c \u2066x\u2069', 'evil x'],
    ['zero\u200bwidth\ufeff', 'zerowidth'],
    ['[a]\u034f(b) [c]\ufe0f(d) $\u{e0041}(e) \u115ff', '[a] (b) [c] (d) (e) f'],
    ['file:////share \u1fefcomposed: e\u0301', "file: ////share 'composed: \u00e9"],
    ['$(trash) $$(a) $((', '(trash) (a) (('],
    ['[x](command:evil) ![y](https://z) [a][b]', '[x] (command:evil) ![y] (https: //z) [a] [b]'],
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

test('text for display stays as it is when it is cleaned again', () => {
  for (const raw of [
    '[x](command:y) $(z) a://b',
    '<`>',
    `${'[x]('.repeat(30)}`,
    'https://'.repeat(8),
    'e\u0301\u200b'.repeat(40),
  ]) {
    const shown = displayText(raw, 60);
    assert.equal(displayText(shown, 60), shown);
  }
});

test('the lines of a text are cleaned one by one, and keep their indentation up to ten spaces', () => {
  assert.deepEqual(displayLines(`a\r\n  b$(c)\n\n\t d\n${' '.repeat(99)}e`, 60), [
    'a',
    '  b(c)',
    '',
    'd',
    `${' '.repeat(10)}e`,
  ]);
});
