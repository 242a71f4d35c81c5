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

/** What the consumer exports. */
export interface ConsumerApi {
  /** Offers MCP servers to the editor, which knows one by `<extension id>/<label>`. */
  offerServers(servers: OfferedServer[]): { dispose(): void };
}
