import assert from 'node:assert/strict';
import fc from 'fast-check';
import { display, displayLines, displayLink, displayText } from '../../src/core/displayText.ts';
import { parseScope, readScopes } from '../../src/oauth/scopes.ts';
import { anyText } from './inputs.ts';
import { type Property, property } from './property.ts';

const piece = fc.oneof(
  anyText,
  fc.constantFrom(...['[', ']', '(', ')', '](', '$', '$(', '<', '>', '`', '!', '\\', '"', ' ', '\n', '\u2028', ':']),
  fc.constantFrom(
    ...['\u200b', '\u202e', '\u034f', '\ufe0f', '\u{e0041}', '\u1fef', '\u0301', '\ud800', '\udc00', '\0'],
  ),
  fc.constantFrom('command:x', 'https://evil.example', 'file:///', '://', 'bug)', 'x'.repeat(500)),
);
const outsideText = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));

/** How VS Code finds links in messages, icons in labels, and addresses in documents. */
const rendered = [
  /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)/i,
  /\$\([a-z0-9-]+(?:~[a-z]+)?\)/i,
  /[a-z][a-z0-9+.-]*:\/\//i,
  /\]\(|\]\[|\$\(|[`<>]/,
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u,
];

function assertPlain(text: string): void {
  for (const pattern of rendered) {
    assert.doesNotMatch(text, pattern);
  }
}

const scopeToken = fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/);

/** The properties of text for display and of scopes. */
export const displayProperties: Property[] = [
  property(
    'text for display is one short line that the editor shows as it is, also within a sentence',
    [outsideText, outsideText, fc.integer({ min: 1, max: 300 })],
    (raw, other, maxLength) => {
      const text = displayText(raw, maxLength);
      assert.ok(Array.from(text).length <= maxLength);
      assertPlain(text);
      assert.equal(text, text.trim().normalize('NFC'));
      assertPlain(display`${text}: ${displayText(other, maxLength)} (${text}), “${text}” ${7}`);
      assert.equal(displayText(text, maxLength), text);
    },
  ),
  property('each line of a text for display is plain', [fc.array(outsideText, { maxLength: 5 })], (lines) => {
    displayLines(lines.join('\n'), 100).forEach(assertPlain);
  }),
  property('an address for display is https and shown as it is', [fc.oneof(fc.webUrl(), outsideText)], (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const shown = url && displayLink(url);
    if (shown !== undefined) {
      assert.match(shown, /^https:\/\/[^/@\s]+\/\S*$/);
      assert.doesNotMatch(shown, /\]\(|\$\(|[<>`]/);
      assert.equal(new URL(shown).href, url?.href);
    }
  }),
  property(
    'what is parsed as scopes are few, short and distinct scopes',
    [fc.jsonValue(), outsideText],
    (value, text) => {
      for (const scopes of [parseScope(value), readScopes(value), parseScope(text), readScopes([text, value])]) {
        assert.ok(scopes === undefined || (scopes.length > 0 && scopes.length <= 64));
        assert.equal(new Set(scopes).size, scopes?.length ?? 0);
        for (const scope of scopes ?? []) {
          assert.match(scope, /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/);
        }
      }
    },
  ),
  property(
    'valid scopes are parsed as they are, and invalid ones beside them are dropped',
    [fc.uniqueArray(scopeToken, { minLength: 1, maxLength: 64 }), fc.constantFrom('"', '\\', 'é', '\u0000', '\u007f')],
    (scopes, invalid) => {
      assert.deepEqual(parseScope(scopes.join(' ')), scopes);
      assert.deepEqual(readScopes(scopes), scopes);
      const mixed = scopes.flatMap((scope) => [`${scope}${invalid}`, scope]);
      assert.deepEqual(parseScope(mixed.join('  ')), scopes);
      assert.deepEqual(readScopes(mixed), scopes);
    },
  ),
];
