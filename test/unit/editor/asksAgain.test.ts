import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksAgainAtMs } from '../../../src/editor/asksAgain.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { Secret } from '../../../src/secret.ts';

const day = 24 * 60 * 60_000;
const signedInAtMs = Date.UTC(2026, 0, 1);

function grant(renewedAfterDays: number, client: Partial<Grant['client']> = {}, hasRefreshToken = true): Grant {
  const refresh = hasRefreshToken && { refreshToken: new Secret('refresh') };
  return {
    signedInAtMs,
    tokens: {
      accessToken: new Secret('access'),
      ...refresh,
      obtainedAtMs: signedInAtMs + renewedAfterDays * day,
      expiresInSeconds: 3_600,
    },
    client: { clientId: 'client', authMethod: 'none', ...client },
  } as Grant;
}

test('Notion asks again 30 days after the last renewal, and 180 days after the sign-in at the latest', () => {
  assert.equal(asksAgainAtMs(grant(0)), signedInAtMs + 30 * day);
  assert.equal(asksAgainAtMs(grant(100)), signedInAtMs + 130 * day);
  assert.equal(asksAgainAtMs(grant(170)), signedInAtMs + 180 * day);
});

test('it asks sooner where the client’s registration ends before; 0 means that it does not', () => {
  const endsAtSeconds = signedInAtMs / 1_000 + 20 * 24 * 60 * 60;
  assert.equal(asksAgainAtMs(grant(0, { clientSecretExpiresAtSeconds: endsAtSeconds })), signedInAtMs + 20 * day);
  assert.equal(asksAgainAtMs(grant(0, { clientSecretExpiresAtSeconds: 0 })), signedInAtMs + 30 * day);
});

test('a sign-in that cannot be renewed lasts as long as its token', () => {
  assert.equal(asksAgainAtMs(grant(0, {}, false)), signedInAtMs + 60 * 60_000);
});
