/** A moment of a renewal at which a window can be killed. */
export const steps = ['lock', 'reserve', 'send', 'answer', 'commit', 'stored', 'unlock'] as const;
export type Step = (typeof steps)[number];

/** What a window is told at its start, as JSON in its one argument. */
export interface WindowOrders {
  /** Holds the journal and the secrets. */
  directory: string;
  serverUrl: string;
  /** The window kills itself when it comes there for the first time. */
  dieAt?: Step;
  /** Its wall clock is wrong by so much. */
  clockWrongByMs?: number;
}

/** What a window says of its accounts whenever they change: fingerprints, no tokens. */
export interface WindowReport {
  accounts: { id: string; state: string; generation: number; token: string; lifeSeconds: number }[];
}
