/** What the tests and the consumer say to each other over loopback HTTP. */
export interface Ask {
  scopes: string[];
  options?: {
    silent?: boolean;
    createIfNone?: boolean;
    forceNewSession?: boolean;
    clearSessionPreference?: boolean;
    account?: { id: string; label: string };
  };
}

export interface Session {
  id: string;
  accessToken: string;
  account: { id: string; label: string };
  scopes: string[];
}

/** How a request ended; `session` is null where the editor answered that there is none. */
export type Answer = { session: Session | null } | { error: string };

/** Everything that happened since the consumer started, for a test to look back on. */
export interface History {
  startAnswers: Answer[];
  /** How often the editor said that Notion's sessions changed. */
  sessionChanges: number;
}

/** Where the consumer puts the port that it listens on, one file a window: `<directory>/<name>-<pid>.json`. */
export const directoryVariable = 'SESSION_CONSUMER_DIRECTORY';
