import type { Tokens } from '../../src/oauth/model.ts';
import type { LockTiming } from '../../src/storage/lock.ts';

/** The steps of a renewal at which a window can be killed. */
export const steps = ['lock', 'reserve', 'send', 'response', 'commit', 'stored', 'unlock'] as const;
export type Step = (typeof steps)[number];

/** Shorter than in the editor, but the takeover age has to exceed the longest stop of a window. */
export const fastLocks: LockTiming = { heartbeatMs: 50, pollMs: 20, takeoverAgeMs: 8_000, longestHoldMs: 5_000 };

/**
 * Servers state lifetimes this many times longer than windows see, because the extension takes a shorter one than a
 * minute for a minute. No access token is used in these tests, so none has to expire at the server.
 */
export const lifetimeScale = 60;

/** The tokens as a window sees them. */
export function scaledDown(tokens: Tokens): Tokens {
  const { expiresInSeconds } = tokens;
  return { ...tokens, ...(expiresInSeconds && { expiresInSeconds: expiresInSeconds / lifetimeScale }) };
}

/** The options of a window process, passed as JSON in its only argument. */
export interface WindowOptions {
  /** The folder that contains the journal. */
  directory: string;
  /** The port of the process that stores the secrets. */
  storagePort: number;
  serverUrl: string;
  /** Identifies the window to the server. */
  userAgent: string;
  /** The window kills itself when it first reaches this step. */
  killAt?: Step;
  /** Added to the window's wall clock. */
  clockSkewMs?: number;
  /** How long a lock must be unchanged before this window takes it over; longer than any window is stopped. */
  takeoverAgeMs?: number;
}

/** An account as one window sees it, with fingerprints instead of tokens. */
export interface AccountReport {
  id: string;
  state: string;
  generation: number;
  token: string;
  refreshToken?: string;
  lifeSeconds: number;
}

/** A window's report of its accounts: those that changed, or all of them at its start and on request. */
export interface WindowReport {
  accounts: AccountReport[];
  /** Whether the report lists all accounts. */
  isComplete: boolean;
  /** The id of the request for this report, if there was one. */
  requestId?: number;
}

/** How the process that stores the secrets behaves. */
export interface StorageOptions {
  /**
   * `shared`: every window is notified of each write. `silent`: no window is notified of another's writes. `rewriting`:
   * as `silent`, and a write replaces all secrets with those that the writer has loaded.
   */
  kind: 'shared' | 'silent' | 'rewriting';
  seed: number;
}

/** Messages between a window and the storage process, each a line of JSON. */
export type StorageMessage =
  /** The first message to a window: all secrets. */
  | { all: Record<string, string> }
  /** One change, `null` for a deletion; `snapshot` contains all secrets that the writer has loaded. */
  | { key: string; value: string | null; snapshot?: Record<string, string> };
