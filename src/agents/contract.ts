import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { RunningGateway } from '../gateway/contract.ts';
import type { Grant } from '../grants/grant.ts';
import type { HostEnvironment } from '../signIn/channels.ts';
import type { JournalKey } from '../storage/encryption.ts';
import type { BridgeCommand } from './bridgeCommand.ts';
import type { AgentConnector, ServerRegistry } from './configuration/contract.ts';
import type { Consent } from './consent.ts';

/** What the bridges of a window need from the rest of the extension. */
export interface AgentsParts {
  /** The journal's directory, which holds the window entries. */
  directory: string;
  /** The bridge's program as the extension brings it. */
  bridgeFile: string;
  /** The editor's name, for sentences. */
  editor: string;
  /** Where this extension runs. */
  host: Pick<HostEnvironment, 'host' | 'remote'>;
  /** The API for servers of the editor, if that is an agent itself. */
  registry: ServerRegistry | undefined;
  /** The grants whose MCP servers may be offered. */
  accounts: () => readonly Grant[];
  /** Whether the user wants MCP servers to be offered in chat at all. */
  isOffered: () => boolean;
  /** The keys of the journal. */
  keys: () => readonly JournalKey[];
  /** Resolves to the listening gateway; undefined on a host that cannot listen. */
  gateway: () => Promise<RunningGateway | undefined>;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

/** This window's part in serving bridges. */
export interface Agents {
  /** Which agents may use which accounts; to be loaded after the accounts. */
  consent: Consent;
  /** Installs the bridge, once in a window. @returns undefined if agent hosts cannot start it, which the log explains */
  bridgeCommand(): Promise<BridgeCommand | undefined>;
  /**
   * How an agent beside the editor starts the bridge to an account. @returns `sandboxed` if such agents cannot start
   * what this editor has, undefined if the bridge cannot be installed, which the log explains
   */
  launch(handle: string, agent: string): Promise<BridgeCommand | 'sandboxed' | undefined>;
  /** What connects the agents of this computer. */
  connections(): Promise<AgentConnector>;
  /** To be called when the accounts are loaded, and when they, the offer or consent changed. */
  update(): void;
  /**
   * Removes what bridges keep of removed accounts, unless an account remains that has their MCP server. What the user
   * decided is kept, and counts for the account that a removed one was merged with.
   */
  forget(removed: readonly Grant[], remaining: readonly Grant[]): Promise<void>;
  close(): Promise<void>;
}

/** Returns undefined on a host that can neither listen nor start a process. */
export type CreateAgents = (parts: AgentsParts) => Agents | undefined;
