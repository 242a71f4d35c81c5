import { longestGrantIdleMs, longestGrantLifeMs } from '../notion/limits.ts';
import type { Tokens } from '../oauth/model.ts';
import type { Grant } from './grant.ts';

/** Clocks lie both ways: a token from a little in the future is still believed. */
const clockSlackMs = 60_000;

/** When the token expires by our clock; `Infinity` where the server did not say: then it is good until rejected. */
export function expiresAtMs({ obtainedAtMs, expiresInSeconds }: Tokens): number {
  return expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : obtainedAtMs + expiresInSeconds * 1_000;
}

/** Obtained by a clock that was ahead of what it is now. */
export function isFromTheFuture({ obtainedAtMs }: Tokens, nowMs: number): boolean {
  return nowMs < obtainedAtMs - clockSlackMs;
}

/** `obtainedAt - 60 s <= now < obtainedAt + expiresIn`. */
export function isHealthy(tokens: Tokens, nowMs: number): boolean {
  return !isFromTheFuture(tokens, nowMs) && nowMs < expiresAtMs(tokens);
}

/** In its last minute, or, where its whole life is short, in its last tenth. */
export function expiresSoon(tokens: Tokens, nowMs: number): boolean {
  const lifeMs = (tokens.expiresInSeconds ?? Number.POSITIVE_INFINITY) * 1_000;
  return !isHealthy(tokens, nowMs) || nowMs >= expiresAtMs(tokens) - Math.min(60_000, lifeMs / 10);
}

const earliestMs = 10 * 60_000;
const latestMs = 5 * 60_000;
const unknownLifeMs = 60 * 60_000;
/** Well within the 30 days after which Notion ends a grant that is not renewed. */
const longestRenewalPauseMs = 7 * 24 * 60 * 60_000;

/** When a machine renews tokens that another one obtained and did not renew in time. */
export function takeOverAtMs(tokens: Tokens): number {
  return Math.min(expiresAtMs(tokens), tokens.obtainedAtMs + longestRenewalPauseMs);
}

/**
 * When a keeper renews: 5 to 10 minutes before the token expires, spread by `fraction` (0 to 1) so that windows do
 * not all wake at once; in the third quarter of a shorter life.
 */
export function renewAtMs(tokens: Tokens, fraction: number): number {
  const lifeMs = tokens.expiresInSeconds === undefined ? unknownLifeMs : tokens.expiresInSeconds * 1_000;
  const marginMs =
    lifeMs > 2 * earliestMs ? latestMs + fraction * (earliestMs - latestMs) : (lifeMs / 4) * (1 + fraction);
  return tokens.obtainedAtMs + Math.min(lifeMs - marginMs, longestRenewalPauseMs);
}

/** When the person has to sign in again. */
export interface SignInDeadline {
  /** By our clock. */
  atMs: number;
  /** Only if nothing renews the grant before: each renewal puts it off. */
  isWhenUnused: boolean;
}

/**
 * When Notion asks the person again at the latest: the earliest of the grant's 180 days, its 30 idle days, the end of
 * the client's registration as far as the server told it, and of a token that cannot be renewed.
 */
export function signInDeadline({ signedInAtMs, tokens, client }: Grant): SignInDeadline {
  const { clientSecretExpiresAtSeconds = 0 } = client;
  const anywayMs = Math.min(
    signedInAtMs + longestGrantLifeMs,
    clientSecretExpiresAtSeconds > 0 ? clientSecretExpiresAtSeconds * 1_000 : Number.POSITIVE_INFINITY,
    tokens.refreshToken === undefined ? expiresAtMs(tokens) : Number.POSITIVE_INFINITY,
  );
  const unusedMs = tokens.obtainedAtMs + longestGrantIdleMs;
  return unusedMs < anywayMs ? { atMs: unusedMs, isWhenUnused: true } : { atMs: anywayMs, isWhenUnused: false };
}
