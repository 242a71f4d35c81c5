import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type { Machine } from './contract.ts';

/** How long an agent's own command may take; some unpack themselves at their first start. */
const limitMs = 60_000;

/** The path of an agent's program; undefined if it is not installed. */
export async function findProgram(name: string, { home, environment, system }: Machine): Promise<string | undefined> {
  // Where agents install themselves; a desktop's search path often lacks it.
  const folders = [...(environment.PATH ?? '').split(delimiter).filter(isAbsolute), join(home, '.local', 'bin')];
  for (const folder of folders) {
    // Windows starts no scripts without a shell.
    const path = join(folder, system === 'win32' ? `${name}.exe` : name);
    if (await isProgram(path)) {
      return path;
    }
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The environment of a terminal: without what the editor sets for its own processes. */
export function terminalEnvironment({ environment }: Machine): Record<string, string | undefined> {
  const isOwn = (name: string) => /^(VSCODE_|ELECTRON_|NODE_OPTIONS$)/.test(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isOwn(name)));
}

/**
 * Runs a program without a shell, in the home folder, where no project's configuration is meant.
 * @throws Error if it cannot be started, fails, or has not ended in time
 */
export function runProgram(
  path: string,
  programArguments: readonly string[],
  machine: Machine,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, programArguments, {
      cwd: machine.home,
      env: terminalEnvironment(machine),
      stdio: 'ignore',
      windowsHide: true,
    });
    const cancelTimer = clock.after(limitMs, () => {
      child.kill('SIGKILL');
      reject(new Error('the command did not end'));
    });
    child.on('error', reject);
    child.on('close', (code) => {
      cancelTimer();
      if (code === 0) {
        resolve();
      } else {
        reject(new Error(`the command ended with code ${code}`));
      }
    });
  });
}
