import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { knownCode } from '../../../src/diagnostics/knownCode.ts';

const source = fileURLToPath(new URL('../../../src/', import.meta.url));

/** Every failure code in the source. */
function codes(): string[] {
  const texts = readdirSync(source, { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(source + name, 'utf8'));
  const patterns = [
    /\bcode: '([a-z_0-9]+)'/g,
    /\bdetails\.code === '([a-z_0-9]+)'/g,
    /\b(?:unsafe|cancelled)\('([a-z_0-9]+)'\)/g,
    /return '(server_url_[a-z_]+)'|\? '(server_url_[a-z_]+)'/g,
  ];
  return texts.flatMap((text) =>
    patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, first, second]) => first ?? second ?? '')),
  );
}

test('every failure code in the source is a known code', () => {
  const all = codes();
  assert.ok(all.length > 60);
  assert.deepEqual(
    all.filter((code) => knownCode(code) !== code),
    [],
  );
});

test('OAuth error codes and HTTP status codes are known, but other text that looks like a code is not', () => {
  for (const code of ['invalid_grant', 'invalid_redirect_uri', 'http_503']) {
    assert.equal(knownCode(code), code);
  }
  for (const code of ['ada_lovelace', 'secret', 'http_', 'http_9999', '', 'Invalid_Grant', 'a b']) {
    assert.equal(knownCode(code), 'other');
  }
});
