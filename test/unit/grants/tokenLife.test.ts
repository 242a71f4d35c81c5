import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { expiresSoon, isHealthy, renewAtMs } from '../../../src/grants/tokenLife.ts';
import type { Tokens } from '../../../src/oauth/model.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const obtainedAtMs = Date.UTC(2026, 0, 1);

function tokens(expiresInSeconds: number | undefined): Tokens {
  return { accessToken: new Secret('a'), obtainedAtMs, ...(expiresInSeconds !== undefined && { expiresInSeconds }) };
}

describe('a token of an hour', () => {
  test('is good from a minute before it was obtained, by a clock that was set back, until it expires', () => {
    assert.equal(isHealthy(tokens(3600), obtainedAtMs - minute - 1), false);
    assert.equal(isHealthy(tokens(3600), obtainedAtMs - minute), true);
    assert.equal(isHealthy(tokens(3600), obtainedAtMs + 60 * minute - 1), true);
    assert.equal(isHealthy(tokens(3600), obtainedAtMs + 60 * minute), false);
  });

  test('is about to expire in its last minute', () => {
    assert.equal(expiresSoon(tokens(3600), obtainedAtMs + 59 * minute - 1), false);
    assert.equal(expiresSoon(tokens(3600), obtainedAtMs + 59 * minute), true);
  });

  test('is renewed 5 to 10 minutes before', () => {
    assert.equal(renewAtMs(tokens(3600), 0) - obtainedAtMs, 55 * minute);
    assert.equal(renewAtMs(tokens(3600), 1) - obtainedAtMs, 50 * minute);
  });
});

describe('a life that a server says in its own way', () => {
  test('none: good until rejected, renewed within the hour', () => {
    assert.equal(isHealthy(tokens(undefined), obtainedAtMs + 10 * day), true);
    const spanMs = renewAtMs(tokens(undefined), 0.5) - obtainedAtMs;
    assert.ok(spanMs > 0 && spanMs < 60 * minute);
  });

  test('zero: over at once', () => {
    assert.equal(isHealthy(tokens(0), obtainedAtMs), false);
    assert.equal(renewAtMs(tokens(0), 0.5), obtainedAtMs);
  });

  test('a minute: renewed in its third quarter, not before it began', () => {
    for (const fraction of [0, 1]) {
      const spanMs = renewAtMs(tokens(60), fraction) - obtainedAtMs;
      assert.ok(spanMs >= 30_000 && spanMs <= 45_000, String(spanMs));
    }
  });

  test('a year: renewed each week, so that 30 idle days never pass while the editor is used', () => {
    assert.equal(renewAtMs(tokens(365 * 24 * 3600), 0.5) - obtainedAtMs, 7 * day);
  });
});
