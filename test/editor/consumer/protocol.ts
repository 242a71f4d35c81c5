/** A session request that a test sends to the consumer over loopback HTTP. */
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

/** The result of a session request; `session` is null if the editor returned none. */
export type SessionResult = { session: Session | null } | { error: string };

/** What became of a request over the extension's transport. */
export interface NetworkResult {
  /** The status, or the kind of the failure. */
  outcome: string;
  /** How many requests the host's `fetch` carried for it. */
  fetches: number;
  /** All that the failure holds. */
  error: string;
}

/** What has happened since the consumer started. */
export interface History {
  startResults: SessionResult[];
  /** How many times the editor has reported a change of Notion's sessions. */
  sessionChanges: number;
}

/**
 * The environment variable that names the directory for the ports of the consumers, one file per window:
 * `<directory>/<extension id>-<pid>.json`.
 */
export const directoryVariable = 'SESSION_CONSUMER_DIRECTORY';

/** An MCP server for the editor to connect to. */
export interface OfferedServer {
  label: string;
  url: string;
  /** The value of its `Authorization` header. */
  authorization: string;
}

/** An MCP server that the editor starts as a process. */
export interface OfferedProgram {
  label: string;
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** How long calls of a tool took together, and the CPU time of the extension host meanwhile. */
export interface CallTimes {
  ms: number;
  cpuMs: number;
}

/** What the consumer exports. */
export interface ConsumerApi {
  /** Offers MCP servers to the editor, which knows one by `<extension id>/<label>`. */
  offerServers(servers: (OfferedServer | OfferedProgram)[]): { dispose(): void };
}
