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

describe('an access token with a lifetime of an hour', () => {
  test('a token is valid until it expires, even if the clock has been set back by up to a minute', () => {
    assert.equal(isHealthy(tokens(3600), obtainedAtMs - minute - 1), false);
    assert.equal(isHealthy(tokens(3600), obtainedAtMs - minute), true);
    assert.equal(isHealthy(tokens(3600), obtainedAtMs + 60 * minute - 1), true);
    assert.equal(isHealthy(tokens(3600), obtainedAtMs + 60 * minute), false);
  });

  test('a one-hour token counts as expiring soon in its last minute', () => {
    assert.equal(expiresSoon(tokens(3600), obtainedAtMs + 59 * minute - 1), false);
    assert.equal(expiresSoon(tokens(3600), obtainedAtMs + 59 * minute), true);
  });

  test('a one-hour token is renewed 5 to 10 minutes before it expires', () => {
    assert.equal(renewAtMs(tokens(3600), 0) - obtainedAtMs, 55 * minute);
    assert.equal(renewAtMs(tokens(3600), 1) - obtainedAtMs, 50 * minute);
  });
});

describe('an access token with an unusual lifetime', () => {
  test('a token without a stated lifetime is valid until rejected, and renewed within an hour', () => {
    assert.equal(isHealthy(tokens(undefined), obtainedAtMs + 10 * day), true);
    const spanMs = renewAtMs(tokens(undefined), 0.5) - obtainedAtMs;
    assert.ok(spanMs > 0 && spanMs < 60 * minute);
  });

  test('a token with a lifetime of zero is never valid and is renewed at once', () => {
    assert.equal(isHealthy(tokens(0), obtainedAtMs), false);
    assert.equal(renewAtMs(tokens(0), 0.5), obtainedAtMs);
  });

  test('a one-minute token is renewed in the third quarter of its lifetime', () => {
    for (const fraction of [0, 1]) {
      const spanMs = renewAtMs(tokens(60), fraction) - obtainedAtMs;
      assert.ok(spanMs >= 30_000 && spanMs <= 45_000, String(spanMs));
    }
  });

  test('a one-year token is renewed every week, so that 30 idle days never pass while the editor is used', () => {
    assert.equal(renewAtMs(tokens(365 * 24 * 3600), 0.5) - obtainedAtMs, 7 * day);
  });
});
