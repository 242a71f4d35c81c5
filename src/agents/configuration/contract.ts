import type { BridgeCommand } from '../bridgeCommand.ts';

/** The computer whose agents are connected. */
export interface Machine {
  home: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** As `process.platform` names it. */
  system: string;
}

/** A command of an agent's own, without the program itself. */
export type ProgramArguments = readonly string[];

/** How an agent is found and told about an MCP server. Its name for people is in `agentNames.ts`. */
export interface CatalogueRow {
  /** What the bridge is started with. */
  id: string;
  /** The name of its program on the search path. */
  program?: string;
  /** A folder that is there once the agent has run. */
  folder: (machine: Machine) => string;
  /** Its configuration for all projects of the user: those files that it reads, the one to create first. */
  files: (machine: Machine) => readonly [string, ...string[]];
  format: 'json' | 'toml';
  /** The key of the servers in the configuration. */
  serversKey: string;
  /** What stands under a server's name there. */
  entry: (launch: BridgeCommand) => Record<string, unknown>;
  /** Commands that change the configuration, of an agent whose program keeps its own state in the same file. */
  ownCommands?: {
    add: (name: string, launch: BridgeCommand) => ProgramArguments;
    remove: (name: string) => ProgramArguments;
  };
  /**
   * The API of the agent's own editor that takes servers from extensions. Where this extension runs in that editor, it
   * is used in place of the configuration.
   */
  registration?: {
    /** The name of the function, as extensions call it. */
    api: string;
    /** What an account's server is registered as. */
    name: (handle: string) => string;
  };
  /** What a user types to remove a server without this extension; where there is no such command, the file is edited. */
  removeCommand?: (name: string) => string;
}

/** The API of an editor that is an agent itself: it has the servers of an extension while that runs in the window. */
export interface ServerRegistry {
  /** The agent, by its row's id. */
  agent: string;
  register(name: string, launch: BridgeCommand): void;
  unregister(name: string): void;
}

/** An agent's configuration as it was read. */
export interface ConfigurationFile {
  /** Where the agent looks for it. */
  path: string;
  /** Where it is, if `path` is a link. */
  target: string;
  /** Undefined if there is no file. */
  text: string | undefined;
  /** Its permissions. */
  mode: number;
}

/** The MCP servers in an agent's configuration, by their names. */
export type Servers = ReadonlyMap<string, unknown>;

/** An agent on this computer, with its configuration as it is now. */
export interface AgentState {
  row: CatalogueRow;
  file: ConfigurationFile;
  servers: Servers;
  /** The path of its program; undefined if only its folder was found. */
  program: string | undefined;
  /** Whether this extension runs in the agent's own editor, which takes servers from extensions. */
  isHost: boolean;
}

/** A server in an agent's configuration that ours can take the place of. */
export interface ReplaceableServer {
  name: string;
  /** Notion's own server, with a sign-in of the agent's; or our name, with the bridge of another editor. */
  kind: 'notion' | 'otherEditor';
}

/** Which account an agent is to be connected to. */
export interface ConnectionRequest {
  handle: string;
  /** How the agent will start the bridge to it. */
  launch: BridgeCommand;
}

/** What connecting an agent changes. */
export interface ConnectionPlan {
  state: AgentState;
  handle: string;
  /** The name of the server in the agent's configuration. */
  name: string;
  launch: BridgeCommand;
  /** The agent's own commands, without the program; empty if the configuration is edited instead. */
  commands: readonly ProgramArguments[];
  /** The configuration's text after the edit. */
  after: string;
  /** Whether the server is registered with the agent's own editor. The edit then only removes servers. */
  isRegistered: boolean;
}

/** An account in the configuration of an agent, as it was written. */
export interface AgentConnection {
  agent: string;
  handle: string;
  /** The server's name in the configuration. */
  name: string;
  path: string;
  /** Whether the server is registered with the agent's own editor, and not in the configuration. */
  isRegistered?: true;
}

/** Connects the agents of this computer to accounts, and disconnects them. */
export interface AgentConnector {
  /** The ids of the agents that are on this computer. */
  found(): Promise<string[]>;
  /** Whether there are agents on this computer, and none of them is connected. */
  hasUnused(): Promise<boolean>;
  /** The path of an agent's configuration: of several the first that is there, else the one to create. */
  pathOf(agent: string): Promise<string>;
  /** Reads an agent's configuration. @throws ConfigurationProblem or the file system's error */
  inspect(agent: string): Promise<AgentState>;
  /** The servers of an agent that the user may want to be replaced. */
  replaceable(state: AgentState, request: ConnectionRequest): ReplaceableServer[];
  /** Plans a connection, without changing anything. @throws ConfigurationProblem `invalid`, `unreadable` */
  plan(state: AgentState, request: ConnectionRequest, replace: readonly string[]): ConnectionPlan;
  /** A whole configuration with nothing but the server, for the user to paste; of an unknown agent in the usual form. */
  configurationText(agent: string, request: ConnectionRequest): string;
  /**
   * Carries out a plan, and records it before.
   * @throws ConfigurationProblem or the file system's error; then the agent is as it was
   */
  connect(plan: ConnectionPlan): Promise<void>;
  /** Rewrites what connected agents start, where that has changed. Never rejects. */
  refresh(command: BridgeCommand): Promise<void>;
  /**
   * Registers with the editor that this extension runs in what is connected to it in any of its windows, and unregisters
   * what is not any more. @throws ConfigurationProblem `commandFailed`
   */
  register(): Promise<void>;
  /** Unregisters everything. Never rejects. */
  close(): Promise<void>;
  /** Starts the bridge as an agent will. @returns the number of tools @throws Error */
  tryLauncher(launch: BridgeCommand): Promise<number>;
  /** What is connected, by the records. */
  connected(): Promise<AgentConnection[]>;
  /**
   * Removes what was written. The last connection of a configuration that is as we left it takes it back to its
   * original, byte by byte.
   * @throws ConfigurationProblem or the file system's error
   */
  disconnect(connection: AgentConnection): Promise<void>;
}
