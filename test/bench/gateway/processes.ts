import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { installOnce } from '../../editor/host/install.mjs';

/** Where a measured server can be reached. */
export interface Address {
  url: string;
  authorization?: string;
}

export interface Started extends Address {
  child: ChildProcess;
}

const here = import.meta.dirname;
const peers = join(here, '..', 'peers');
const remoteProgram = join(peers, 'node_modules', 'mcp-remote', 'dist', 'proxy.js');

/** Runs the measured programs, bundled and minified like the extension, each in its own process. */
export class Processes {
  /** Where programs can keep files until the end. */
  readonly directory: string;
  readonly #running = new Set<ChildProcess>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async prepare(): Promise<Processes> {
    const directory = await mkdtemp(join(tmpdir(), 'notion-mcp-auth-bench-'));
    await build({
      entryPoints: ['mcpServer', 'plainProxy', 'ourGateway'].map((name) => join(here, `${name}.ts`)),
      outdir: directory,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: 'error',
    });
    await build({
      entryPoints: [join(here, '../../../src/agents/bridge/main.ts')],
      outfile: join(directory, 'bridge.cjs'),
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      logLevel: 'error',
    });
    await installOnce(peers, '.peers-installed', [remoteProgram], async () => {
      console.log('Installing mcp-remote to compare with …');
      execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: peers, stdio: 'ignore' });
    });
    return new Processes(directory);
  }

  /** Starts one of our programs and waits until it prints its address. */
  async start(name: 'mcpServer' | 'plainProxy' | 'ourGateway', ...programArguments: string[]): Promise<Started> {
    const child = this.#spawn([join(this.directory, `${name}.mjs`), ...programArguments]);
    const [line] = (await once(createInterface(child.stdout ?? process.stdin), 'line')) as [string];
    return { child, ...(JSON.parse(line) as Address) };
  }

  /** Starts `mcp-remote`, which communicates over standard input and output. Its files are kept in our directory. */
  startRemote(serverUrl: string): ChildProcess {
    const options = ['--transport', 'http-only', '--allow-http', '--silent', '--header', 'Authorization:Bearer token'];
    return this.#spawn([remoteProgram, serverUrl, ...options], {
      MCP_REMOTE_CONFIG_DIR: join(this.directory, 'mcp-remote'),
    });
  }

  /** How a program starts `mcp-remote` for a server. */
  remoteCommand(): (serverUrl: string, more: string[]) => { command: string; args: string[] } {
    const options = ['--transport', 'http-only', '--silent', '--header', 'Authorization:Bearer token'];
    return (serverUrl, more) => ({
      command: process.execPath,
      args: [remoteProgram, serverUrl, ...options, ...more],
    });
  }

  /** Starts the bridge of the account that `ourGateway` has, as an agent does. */
  startBridge(journalDirectory: string): ChildProcess {
    const options = ['--directory', journalDirectory, '--account', 'bench', '--agent', 'editor'];
    return this.#spawn([join(this.directory, 'bridge.cjs'), ...options]);
  }

  async stop(child: ChildProcess): Promise<void> {
    this.#running.delete(child);
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.stop(child)));
    await rm(this.directory, { recursive: true, force: true });
  }

  #spawn(programArguments: string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = spawn(process.execPath, programArguments, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    this.#running.add(child);
    return child;
  }
}

/** The resident memory of a process, in MB. */
export function residentMegabytes({ pid }: ChildProcess): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
