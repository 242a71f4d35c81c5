import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A running process, as other users of the machine see it. */
export interface AgentProcess {
  pid: number;
  commandLine: string;
  environment: string;
}

/**
 * A home folder for the editor's agents, so that they neither read nor write that of the user. Their processes outlive
 * the editor; they are those whose environment or command line names this folder.
 */
export class AgentHome {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<AgentHome> {
    const home = new AgentHome(await mkdtemp(join(tmpdir(), 'agents-')));
    const claude = join(home.directory, '.claude');
    await mkdir(claude);
    // Claude refuses to run as root outside of a sandbox, and would offer tools only after a search for them.
    const settings = { env: { IS_SANDBOX: '1', ENABLE_TOOL_SEARCH: 'false' } };
    await writeFile(join(claude, 'settings.json'), JSON.stringify(settings));
    return home;
  }

  get environment(): Record<string, string> {
    return { HOME: this.directory, TMPDIR: this.directory };
  }

  /** The processes with this home that are running. */
  async processes(): Promise<AgentProcess[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const all = await Promise.all(pids.map(readProcess));
    // Codex runs some in a sandbox, without an environment.
    return all.filter(
      (each) => each !== undefined && `${each.environment}${each.commandLine}`.includes(this.directory),
    ) as AgentProcess[];
  }

  /** Ends the processes and deletes the folder. */
  async close(): Promise<void> {
    endProcesses(await this.processes());
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ends those of the processes that are still running. */
export function endProcesses(processes: readonly AgentProcess[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** Resolves to undefined if the process has ended, or belongs to another user. */
async function readProcess(pid: number): Promise<AgentProcess | undefined> {
  const read = async (name: string) => (await readFile(`/proc/${pid}/${name}`, 'utf8')).replaceAll('\0', '\n');
  try {
    return { pid, commandLine: await read('cmdline'), environment: await read('environ') };
  } catch {
    return undefined;
  }
}
