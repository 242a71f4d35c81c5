import type { LockTiming } from '../../src/storage/lock.ts';

/** A moment of a renewal at which a window can be killed. */
export const steps = ['lock', 'reserve', 'send', 'answer', 'commit', 'stored', 'unlock'] as const;
export type Step = (typeof steps)[number];

/** As in the editor but faster: a takeover must come after the longest stop of a window. */
export const fastLocks: LockTiming = { heartbeatMs: 50, pollMs: 20, takeoverAgeMs: 8_000, longestHoldMs: 5_000 };

/** What a window is told at its start, as JSON in its one argument. */
export interface WindowOrders {
  /** Holds the journal. */
  directory: string;
  /** Where the process listens that keeps the secrets. */
  storagePort: number;
  serverUrl: string;
  /** The name under which the server sees it. */
  userAgent: string;
  /** The window kills itself when it comes there for the first time. */
  dieAt?: Step;
  /** Its wall clock is wrong by so much. */
  clockWrongByMs?: number;
  /** How long it sees a dead window's lock unchanged before it takes over; longer than any window is stopped. */
  takeoverAgeMs?: number;
}

/** An account as a window has it: fingerprints, no tokens. */
export interface AccountReport {
  id: string;
  state: string;
  generation: number;
  token: string;
  refreshToken?: string;
  lifeSeconds: number;
}

/** What a window says of its accounts: of those that changed, or of all at its start and when it is asked. */
export interface WindowReport {
  accounts: AccountReport[];
  /** Nothing but these is there. */
  isWhole: boolean;
  /** The number of the look around that came before it, where it answers one. */
  look?: number;
}

/** How the process that keeps the secrets treats its windows. */
export interface StorageOrders {
  /** `silent`: no window hears of another's writes. `rewriting`: a write replaces all by what the writer has loaded. */
  kind: 'shared' | 'silent' | 'rewriting';
  seed: number;
}

/** What window and storage say to each other, a line of JSON each. */
export type StorageMessage =
  /** At first, to a window: everything there is. */
  | { all: Record<string, string> }
  /** One change, `null` for a deletion; `snapshot` is all that its writer knows. */
  | { key: string; value: string | null; snapshot?: Record<string, string> };
