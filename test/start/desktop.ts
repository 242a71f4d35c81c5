import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { downloadAndUnzipVSCode, resolveCliPathFromVSCodeExecutablePath } from '@vscode/test-electron';

const isWindows = process.platform === 'win32';

export interface DesktopOptions {
  /** The folder for everything that the editor writes. */
  directory: string;
  settings: Record<string, unknown>;
  /** The packaged extensions to install. */
  vsixes: readonly string[];
  /** The arguments that select the language. */
  language: readonly string[];
}

/** Returns the `code` command on the PATH, or undefined if there is none or it cannot open a window here. */
export function codeOnPath(): string | undefined {
  // In a remote editor's terminal, `code` controls that editor; without a display no window can open.
  const { PATH = '', VSCODE_IPC_HOOK_CLI, DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (VSCODE_IPC_HOOK_CLI !== undefined || (process.platform === 'linux' && !DISPLAY && !WAYLAND_DISPLAY)) {
    return undefined;
  }
  return PATH.split(delimiter)
    .map((folder) => join(folder, isWindows ? 'code.cmd' : 'code'))
    .find((path) => existsSync(path));
}

/** Downloads VS Code with @vscode/test-electron and returns the path of its `code` command. */
export async function downloadedCode(): Promise<string> {
  const cachePath = fileURLToPath(new URL('../../node_modules/.cache/vscode-test', import.meta.url));
  return resolveCliPathFromVSCodeExecutablePath(await downloadAndUnzipVSCode({ cachePath }));
}

/** Opens a new window of an editor that has only these extensions installed; resolves to a function that closes it. */
export async function openDesktop(code: string, options: DesktopOptions): Promise<() => Promise<void>> {
  const { directory, settings, vsixes, language } = options;
  const data = join(directory, 'data');
  await mkdir(join(data, 'User'), { recursive: true });
  await writeFile(join(data, 'User', 'settings.json'), JSON.stringify(settings, null, 2));
  const own = ['--user-data-dir', data, '--extensions-dir', join(directory, 'extensions')];
  await run(code, [...own, ...vsixes.flatMap((vsix) => ['--install-extension', vsix])]);
  // The command returns as soon as the editor is running.
  await run(code, [...own, '--new-window', '--skip-welcome', '--disable-workspace-trust', ...language]);
  return () => close(data);
}

async function run(code: string, codeArguments: string[]): Promise<void> {
  if (isWindows) {
    // A .cmd file runs only in a shell, which needs quoted arguments.
    const quoted = [code, ...codeArguments].map((part) => `"${part}"`);
    await promisify(execFile)(quoted.join(' '), { shell: true });
  } else {
    await promisify(execFile)(code, codeArguments);
  }
}

/** Ends the editor. It is not a child process, but records its process id in its user data folder. */
async function close(data: string): Promise<void> {
  try {
    process.kill(Number(await readFile(join(data, 'code.lock'), 'utf8')));
  } catch {
    // The editor is already closed.
  }
}
