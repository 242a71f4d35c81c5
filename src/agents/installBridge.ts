import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, delimiter, isAbsolute, join } from 'node:path';
import { toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import type { Files } from '../platform/contract.ts';
import type { BridgeCommand } from './bridgeCommand.ts';
import { agentsDirectory } from './cachePath.ts';
import { launcherText, stablePath } from './launcher.ts';

export interface InstallOptions {
  /** The journal's directory. */
  directory: string;
  /** The bridge's program as the extension brings it. */
  bridgeFile: string;
  /** The editor's name, for sentences. */
  editor: string;
  /** As `process.platform` names it. */
  system: string;
  /** What runs the extension host. */
  executable: string;
  /** The `PATH` of the environment. */
  searchPath: string;
  files: Pick<Files, 'makePrivateDirectory'>;
  randomness: Randomness;
}

export interface InstalledBridge extends BridgeCommand {
  /** Whether anything can run the bridge after this editor has ended; of an AppImage nothing remains. */
  isLasting: boolean;
}

/**
 * Writes the bridge, and on Unix its launcher, to a directory that outlives this version of the extension. What is there
 * already is not written again, so a disk that has become read-only does no harm.
 * @throws the file system's error
 */
export async function installBridge(options: InstallOptions): Promise<InstalledBridge> {
  const { directory, editor, system, executable, searchPath } = options;
  const folder = agentsDirectory(directory);
  await options.files.makePrivateDirectory(folder);
  const bridgeFile = join(folder, 'bridge.cjs');
  await replace(bridgeFile, await readFile(options.bridgeFile), 0o600, options.randomness);
  if (system === 'win32') {
    // Agents cannot start scripts there.
    return {
      command: executable,
      args: [bridgeFile, '--directory', directory],
      env: { ELECTRON_RUN_AS_NODE: '1', NOTION_MCP_EDITOR: editor },
      isLasting: true,
    };
  }
  const stable = stablePath(executable);
  const executables = new Set([...(stable === undefined ? [] : [stable]), ...(await nodesOn(searchPath))]);
  const launcher = join(folder, 'notion-mcp-bridge');
  const text = launcherText({ executables: [...executables], bridgeFile, directory, editor });
  await replace(launcher, Buffer.from(text), 0o700, options.randomness);
  return { command: launcher, args: [], env: {}, isLasting: executables.size > 0 };
}

/** Replaces a file at once, so that it can be started at any time, unless it is as it should be. */
async function replace(path: string, content: Buffer, mode: number, randomness: Randomness): Promise<void> {
  const found = await readFile(path).catch(() => undefined);
  if (found?.equals(content) && ((await stat(path)).mode & 0o777 & mode) === mode) {
    return;
  }
  const temporary = `${path}.${toHex(randomness.bytes(8))}.new`;
  try {
    await writeFile(temporary, content, { mode, flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The absolute paths of Node on the search path; not of a version manager, which starts under the name of Node. */
async function nodesOn(searchPath: string): Promise<string[]> {
  const folders = searchPath.split(delimiter).filter(isAbsolute);
  const paths = await Promise.all(folders.map((folder) => realpath(join(folder, 'node')).catch(() => '')));
  return paths.filter((path) => /^node(js)?[\d.-]*$/.test(basename(path)));
}
