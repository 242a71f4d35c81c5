import { grantLimits } from '../notion/limits.ts';
import type { Tokens } from '../oauth/model.ts';
import type { Grant } from './grant.ts';

/** Clocks are sometimes set back: a token obtained slightly in the future still counts as valid. */
const clockSlackMs = 60_000;

/** When the token expires (local clock); `Infinity` without a stated lifetime: such a token is used until rejected. */
export function expiresAtMs({ obtainedAtMs, expiresInSeconds }: Tokens): number {
  return expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : obtainedAtMs + expiresInSeconds * 1_000;
}

/** Whether the token seems to have been obtained in the future, because the clock has been set back since. */
export function isFromTheFuture({ obtainedAtMs }: Tokens, nowMs: number): boolean {
  return nowMs < obtainedAtMs - clockSlackMs;
}

/** Whether the token is valid: `obtainedAt - 60 s <= now < obtainedAt + expiresIn`. */
export function isHealthy(tokens: Tokens, nowMs: number): boolean {
  return !isFromTheFuture(tokens, nowMs) && nowMs < expiresAtMs(tokens);
}

/** Whether the token has expired or is in its last minute (in its last tenth if its lifetime is under 10 minutes). */
export function expiresSoon(tokens: Tokens, nowMs: number): boolean {
  const lifeMs = (tokens.expiresInSeconds ?? Number.POSITIVE_INFINITY) * 1_000;
  return !isHealthy(tokens, nowMs) || nowMs >= expiresAtMs(tokens) - Math.min(60_000, lifeMs / 10);
}

const longestMarginMs = 10 * 60_000;
const shortestMarginMs = 5 * 60_000;
const assumedLifeMs = 60 * 60_000;
/** Well within the 30 days after which Notion ends a grant that has not been renewed. */
export const longestRenewalPauseMs = 7 * 24 * 60 * 60_000;

/**
 * When the scheduler renews: 5 to 10 minutes before the token expires, spread by `fraction` (0 to 1) so that windows do
 * not all wake at once; for a lifetime of up to 20 minutes, in its third quarter; after seven days at the latest.
 */
export function renewAtMs(tokens: Tokens, fraction: number): number {
  const lifeMs = tokens.expiresInSeconds === undefined ? assumedLifeMs : tokens.expiresInSeconds * 1_000;
  const marginMs =
    lifeMs > 2 * longestMarginMs
      ? shortestMarginMs + fraction * (longestMarginMs - shortestMarginMs)
      : (lifeMs / 4) * (1 + fraction);
  return tokens.obtainedAtMs + Math.min(lifeMs - marginMs, longestRenewalPauseMs);
}

/** When the user has to sign in again. */
export interface SignInDeadline {
  /** Local clock. */
  atMs: number;
  /** Whether the deadline applies only to an unused grant: each renewal postpones it. */
  isWhenUnused: boolean;
}

/**
 * When the user has to sign in again at the latest: at the earliest of the limits that the server is known to have, the
 * end of the client registration if the authorization server stated one, and the expiry of a token that cannot be
 * renewed. Undefined if nothing is known to end the grant.
 */
export function signInDeadline({ serverUrl, signedInAtMs, tokens, client }: Grant): SignInDeadline | undefined {
  const { lifeMs, idleMs } = grantLimits(serverUrl);
  const { clientSecretExpiresAtSeconds = 0 } = client;
  const fixedMs = Math.min(
    signedInAtMs + lifeMs,
    clientSecretExpiresAtSeconds > 0 ? clientSecretExpiresAtSeconds * 1_000 : Number.POSITIVE_INFINITY,
    tokens.refreshToken === undefined ? expiresAtMs(tokens) : Number.POSITIVE_INFINITY,
  );
  const unusedMs = tokens.obtainedAtMs + idleMs;
  if (Math.min(unusedMs, fixedMs) === Number.POSITIVE_INFINITY) {
    return undefined;
  }
  return unusedMs < fixedMs ? { atMs: unusedMs, isWhenUnused: true } : { atMs: fixedMs, isWhenUnused: false };
}
