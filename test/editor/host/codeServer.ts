import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chosenHost } from './hosts.mjs';

export interface CodeServerOptions {
  /**
   * Contains everything that survives a stop: user data, extensions and the server's configuration. It also contains
   * sockets, so its path must be short.
   */
  directory: string;
  /** The user settings, written before the server starts. */
  settings?: Record<string, unknown>;
  /** 0 for any free port. A page finds its stored secrets only if the port stays the same. */
  port?: number;
  /** Environment variables to add for extensions. */
  environment?: Record<string, string>;
  /** Of the Node that runs the server, which gives them to its extension hosts. */
  nodeArguments?: string[];
  serverArguments?: string[];
  /** Whether it runs agents in chat, which need a mock of their models; see test/agents. */
  hasAgentHost?: boolean;
  /** Receives each line that the server prints. */
  onLine?: (line: string) => void;
}

/** Turns off whatever moves, prompts or uses the network by itself. */
const quietSettings = {
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'remote.autoForwardPorts': false,
  'telemetry.telemetryLevel': 'off',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
};

const startLimitMs = 60_000;
const stopLimitMs = 10_000;

/** The server of the embedded editor, on 127.0.0.1. The editor itself is the page at `address`. */
export class CodeServer {
  readonly address: string;
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
    this.address = `http://127.0.0.1:${port}/`;
  }

  /**
   * Resolves once the server listens.
   * @throws Error with the server's output if it exits first or does not listen within a minute
   */
  static async start(options: CodeServerOptions): Promise<CodeServer> {
    const {
      directory,
      settings = {},
      port = 0,
      environment = {},
      nodeArguments = [],
      serverArguments = [],
      hasAgentHost = false,
      onLine,
    } = options;
    const common = await commonArguments(directory);
    const userFolder = join(directory, 'data', 'User');
    await mkdir(userFolder, { recursive: true });
    await writeFile(join(userFolder, 'settings.json'), JSON.stringify({ ...quietSettings, ...settings }, null, 2));
    const host = chosenHost();
    const child = spawn(
      host.node,
      [
        ...nodeArguments,
        host.entry,
        ...common,
        ...['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`],
        ...['--disable-telemetry', '--disable-update-check', '--disable-workspace-trust'],
        ...['--disable-getting-started-override', '--ignore-last-opened'],
        ...host.serverArguments,
        // The test driver of the editor makes it accept a token from the settings in place of a sign-in at GitHub.
        ...(hasAgentHost ? ['--vscode-option', 'enable-smoke-test-driver'] : host.withoutAgentHost),
        ...serverArguments,
      ],
      { env: { ...cleanEnvironment(), ...host.serverEnvironment, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const kill = (): void => void child.kill('SIGTERM');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    return new CodeServer(child, await listeningPort(child, onLine));
  }

  /** Stops the server and its extension hosts. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
      return;
    }
    // `close` fires only after the extension hosts, which share the server's output, have exited too.
    const closed = once(this.#process, 'close');
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), stopLimitMs);
    await closed;
    clearTimeout(timer);
  }
}

/** Installs packaged extensions for the servers of `directory`. @throws Error with the server's output */
export function installExtensions(directory: string, vsixes: readonly string[]): Promise<void> {
  const installArguments = vsixes.flatMap((vsix) => ['--install-extension', vsix]);
  return changeExtensions(directory, [...installArguments, '--force'], 'was successfully installed', vsixes.length);
}

/** Uninstalls an extension from the editor in `directory`, whose next server deletes it. @throws Error with the output */
export function uninstallExtension(directory: string, id: string): Promise<void> {
  return changeExtensions(directory, ['--uninstall-extension', id], 'was successfully uninstalled', 1);
}

async function changeExtensions(
  directory: string,
  changeArguments: string[],
  success: string,
  count: number,
): Promise<void> {
  const common = await commonArguments(directory);
  const { node, entry } = chosenHost();
  const child = spawn(node, [entry, ...common, ...changeArguments], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const [code] = await once(child, 'close');
  const text = Buffer.concat(output).toString();
  // The exit code is 0 even if the change failed.
  if (code !== 0 || text.split(success).length !== count + 1) {
    throw new Error(`${changeArguments.join(' ')} failed:\n${text}`);
  }
}

/** The folder in which the server of `directory` keeps its logs, with a subfolder for each start. */
export function logsFolder(directory: string): string {
  return join(directory, 'data', 'logs');
}

async function commonArguments(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const config = join(directory, 'config.yaml');
  // Without this file, the server would use or create the one in the home folder.
  await writeFile(config, 'auth: none\n');
  return [
    ...['--config', config],
    ...['--user-data-dir', join(directory, 'data')],
    ...['--extensions-dir', join(directory, 'extensions')],
  ];
}

/** This process's environment without the variables of an editor, npm or test that started it, and without a gallery. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VSCODE_|npm_|NODE_OPTIONS$|NODE_COMPILE_CACHE$|NODE_TEST_CONTEXT$)/.test(name),
  );
  return { ...Object.fromEntries(inherited), EXTENSIONS_GALLERY: '{"serviceUrl":""}' };
}

function listeningPort(child: ChildProcess, onLine: (line: string) => void = () => undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const fail = (what: string): void => reject(new Error(`The editor's server ${what}:\n${lines.join('\n')}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail('did not listen in time');
    }, startLimitMs);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
    child.once('error', reject);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) {
        continue;
      }
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        onLine(line);
        const port = /listening on http:\/\/127\.0\.0\.1:(\d+)\//i.exec(line)?.[1];
        if (port !== undefined) {
          clearTimeout(timer);
          resolve(Number(port));
        }
      });
    }
  });
}
