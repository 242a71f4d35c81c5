import type { Grant } from '../grants/grant.ts';
import { expiresAtMs } from '../grants/tokenLife.ts';

const dayMs = 24 * 60 * 60_000;
/** Notion's limits: a grant's whole life, and how long it may go without a renewal. */
const longestLifeMs = 180 * dayMs;
const longestIdleMs = 30 * dayMs;

/** When the person has to sign in again. */
export interface AsksAgain {
  /** By our clock. */
  atMs: number;
  /** Only if nothing renews the grant before: each renewal puts it off. */
  isWhenUnused: boolean;
}

/**
 * When Notion asks the person again at the latest: the earliest of the grant's 180 days, its 30 idle days, the end of
 * the client's registration as far as the server told it, and of a token that cannot be renewed.
 */
export function asksAgain({ signedInAtMs, tokens, client }: Grant): AsksAgain {
  const { clientSecretExpiresAtSeconds = 0 } = client;
  const anywayMs = Math.min(
    signedInAtMs + longestLifeMs,
    clientSecretExpiresAtSeconds > 0 ? clientSecretExpiresAtSeconds * 1_000 : Number.POSITIVE_INFINITY,
    tokens.refreshToken === undefined ? expiresAtMs(tokens) : Number.POSITIVE_INFINITY,
  );
  const unusedMs = tokens.obtainedAtMs + longestIdleMs;
  return unusedMs < anywayMs ? { atMs: unusedMs, isWhenUnused: true } : { atMs: anywayMs, isWhenUnused: false };
}
