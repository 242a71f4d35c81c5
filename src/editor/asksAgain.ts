import type { Grant } from '../grants/grant.ts';
import { expiresAtMs } from '../grants/tokenLife.ts';

const dayMs = 24 * 60 * 60_000;
/** Notion's limits: a grant's whole life, and how long it may go without a renewal. */
const longestLifeMs = 180 * dayMs;
const longestIdleMs = 30 * dayMs;

/**
 * When Notion asks the person again at the latest, if the editor is not used until then (ms, our clock): the earliest
 * of the grant's 180 days, its 30 idle days, the end of the client's registration as far as the server told it, and of
 * a token that cannot be renewed.
 */
export function asksAgainAtMs({ signedInAtMs, tokens, client }: Grant): number {
  const { clientSecretExpiresAtSeconds = 0 } = client;
  return Math.min(
    signedInAtMs + longestLifeMs,
    tokens.obtainedAtMs + longestIdleMs,
    clientSecretExpiresAtSeconds > 0 ? clientSecretExpiresAtSeconds * 1_000 : Number.POSITIVE_INFINITY,
    tokens.refreshToken === undefined ? expiresAtMs(tokens) : Number.POSITIVE_INFINITY,
  );
}
