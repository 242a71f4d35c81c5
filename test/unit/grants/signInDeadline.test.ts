import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { signInDeadline } from '../../../src/grants/tokenLife.ts';

const day = 24 * 60 * 60_000;
const signedInAtMs = Date.UTC(2026, 0, 1);

function grant(renewedAfterDays: number, client: Partial<Grant['client']> = {}, hasRefreshToken = true): Grant {
  const refresh = hasRefreshToken && { refreshToken: new Secret('refresh') };
  return {
    serverUrl: 'https://mcp.notion.com/mcp',
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

test('the sign-in deadline is 30 days after the last renewal, and 180 days after the sign-in at the latest', () => {
  assert.equal(signInDeadline(grant(0))?.atMs, signedInAtMs + 30 * day);
  assert.equal(signInDeadline(grant(100))?.atMs, signedInAtMs + 130 * day);
  assert.equal(signInDeadline(grant(170))?.atMs, signedInAtMs + 180 * day);
});

test('the sign-in deadline is earlier if the client registration expires first; 0 means that it never expires', () => {
  const expiresAtSeconds = signedInAtMs / 1_000 + 20 * 24 * 60 * 60;
  assert.equal(
    signInDeadline(grant(0, { clientSecretExpiresAtSeconds: expiresAtSeconds }))?.atMs,
    signedInAtMs + 20 * day,
  );
  assert.equal(signInDeadline(grant(0, { clientSecretExpiresAtSeconds: 0 }))?.atMs, signedInAtMs + 30 * day);
});

test('the sign-in deadline of a grant without a refresh token is the expiry of its access token', () => {
  assert.equal(signInDeadline(grant(0, {}, false))?.atMs, signedInAtMs + 60 * 60_000);
});

test('a renewal postpones only a sign-in deadline that is due to idleness', () => {
  assert.equal(signInDeadline(grant(0))?.isWhenUnused, true);
  assert.equal(signInDeadline(grant(170))?.isWhenUnused, false);
  assert.equal(signInDeadline(grant(0, {}, false))?.isWhenUnused, false);
});

test('a server other than Notion’s has no sign-in deadline, unless it issued no refresh token', () => {
  const serverUrl = 'https://mcp.example/mcp';
  assert.equal(signInDeadline({ ...grant(0), serverUrl }), undefined);
  assert.equal(signInDeadline({ ...grant(0, {}, false), serverUrl })?.atMs, signedInAtMs + 60 * 60_000);
});
