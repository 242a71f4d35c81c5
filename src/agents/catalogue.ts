import { join } from 'node:path';
import type { BridgeCommand } from './bridgeCommand.ts';
import type { CatalogueRow, Machine } from './configuration/contract.ts';

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
    /*
     * cursor.com/docs/context/mcp, and cursor.com/docs/extension-api inside Cursor itself, which ignores VS Code's
     * providers of servers. The API is documented without an end of a registration; it goes with the extension
     * (gitkraken/vscode-gitlens#5084), and extensions make it at each activation. Cursor lists such a server as
     * `extension-<name>` beside those of the file, also beside one of the same name, so one place may have it. Cursor
     * hides tools whose name has more than 60 characters together with their server's (ComposioHQ/composio#2788):
     * 10 for the prefix and 30 for Notion's longest leave 19 and a separator. A handle is unique in its first 12.
     */
    id: 'cursor',
    folder: ({ home }) => join(home, '.cursor'),
    files: ({ home }) => [join(home, '.cursor', 'mcp.json')],
    format: 'json',
    serversKey: 'mcpServers',
    entry: entryOf,
    registration: {
      api: 'vscode.cursor.mcp.registerServer',
      name: (handle) => handle.slice(0, 19).replace(/-$/, ''),
    },
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

/** The configuration of an agent that is not in the catalogue, as most of them have it. */
export const usualForm: Pick<CatalogueRow, 'format' | 'serversKey' | 'entry'> = {
  format: 'json',
  serversKey: 'mcpServers',
  entry: entryOf,
};

function entryOf({ command, args, env }: BridgeCommand): Record<string, unknown> {
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
