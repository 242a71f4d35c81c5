import { join } from 'node:path';
import type { BridgeCommand } from './contract.ts';

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
  /** What a user types to remove a server without this extension; where there is no such command, the file is edited. */
  removeCommand?: (name: string) => string;
}

/**
 * The agents that can be connected. Codex, Gemini CLI and Copilot CLI have commands to add a server, too, but those of
 * Codex 0.169 and Copilot CLI 1.0.102 drop comments, indentation and line ends of what is not ours, and that of Gemini
 * CLI 0.61 refuses a trailing comma; so these files are edited. Claude Code locks its file, in which it keeps its state.
 */
export const catalogue: readonly CatalogueRow[] = [
  {
    // code.claude.com/docs/en/mcp; CLAUDE_CONFIG_DIR as run with 2.1.332.
    id: 'claude-code',
    program: 'claude',
    folder: ({ home, environment }) => environment.CLAUDE_CONFIG_DIR || join(home, '.claude'),
    files: ({ home, environment }) => [join(environment.CLAUDE_CONFIG_DIR || home, '.claude.json')],
    format: 'json',
    serversKey: 'mcpServers',
    entry: (launch) => ({ type: 'stdio', ...entryOf(launch) }),
    ownCommands: {
      add: (name, { command, args, env }) => [
        ...['mcp', 'add', '--scope', 'user', name],
        ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
        ...['--', command, ...args],
      ],
      remove: (name) => ['mcp', 'remove', '--scope', 'user', name],
    },
    removeCommand: (name) => `claude mcp remove --scope user ${name}`,
  },
  {
    // openai/codex, codex-rs/config/src/mcp_types.rs
    id: 'codex',
    program: 'codex',
    folder: codexHome,
    files: (machine) => [join(codexHome(machine), 'config.toml')],
    format: 'toml',
    serversKey: 'mcp_servers',
    entry: entryOf,
    removeCommand: (name) => `codex mcp remove ${name}`,
  },
  {
    // google-gemini/gemini-cli, docs/tools/mcp-server.md; GEMINI_CLI_HOME as run with 0.61.0.
    id: 'gemini',
    program: 'gemini',
    folder: geminiFolder,
    files: (machine) => [join(geminiFolder(machine), 'settings.json')],
    format: 'json',
    serversKey: 'mcpServers',
    entry: entryOf,
    removeCommand: (name) => `gemini mcp remove --scope user ${name}`,
  },
  {
    // docs.github.com/copilot/how-tos/copilot-cli; COPILOT_HOME as run with 1.0.102, which ignores XDG_CONFIG_HOME.
    id: 'copilot',
    program: 'copilot',
    folder: copilotFolder,
    files: (machine) => [join(copilotFolder(machine), 'mcp-config.json')],
    format: 'json',
    serversKey: 'mcpServers',
    entry: (launch) => ({ type: 'local', ...entryOf(launch), tools: ['*'] }),
    removeCommand: (name) => `copilot mcp remove ${name}`,
  },
  {
    // opencode.ai/docs/mcp-servers and opencode.ai/docs/config; 1.18.33 merges all of these files.
    id: 'opencode',
    program: 'opencode',
    folder: openCodeFolder,
    files: (machine) => {
      const folder = openCodeFolder(machine);
      return [join(folder, 'opencode.json'), join(folder, 'opencode.jsonc'), join(folder, 'config.json')];
    },
    format: 'json',
    serversKey: 'mcp',
    entry: ({ command, args, env }) => ({
      type: 'local',
      command: [command, ...args],
      enabled: true,
      ...(Object.keys(env).length > 0 && { environment: env }),
    }),
  },
  {
    // cursor.com/docs/context/mcp
    id: 'cursor',
    folder: ({ home }) => join(home, '.cursor'),
    files: ({ home }) => [join(home, '.cursor', 'mcp.json')],
    format: 'json',
    serversKey: 'mcpServers',
    entry: entryOf,
  },
  {
    // docs.windsurf.com/windsurf/cascade/mcp
    id: 'windsurf',
    folder: ({ home }) => join(home, '.codeium', 'windsurf'),
    files: ({ home }) => [join(home, '.codeium', 'windsurf', 'mcp_config.json')],
    format: 'json',
    serversKey: 'mcpServers',
    entry: entryOf,
  },
];

/** The shape of an entry that most agents share. */
export function entryOf({ command, args, env }: BridgeCommand): Record<string, unknown> {
  return { command, args: [...args], ...(Object.keys(env).length > 0 && { env }) };
}

function codexHome({ home, environment }: Machine): string {
  return environment.CODEX_HOME || join(home, '.codex');
}

function geminiFolder({ home, environment }: Machine): string {
  return join(environment.GEMINI_CLI_HOME || home, '.gemini');
}

function copilotFolder({ home, environment }: Machine): string {
  return environment.COPILOT_HOME || join(home, '.copilot');
}

function openCodeFolder({ home, environment }: Machine): string {
  return join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'opencode');
}
