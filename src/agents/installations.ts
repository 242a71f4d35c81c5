import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isObject, parseJson } from '../core/json.ts';
import type { Files } from '../platform/contract.ts';
import type { Machine } from './configuration/contract.ts';

/** An installation of this extension that has connected agents. */
export interface Installation {
  /** The folder of all extensions, which is the same for each version of this one. */
  extensions: string;
  /** The folder of the launcher. */
  agents: string;
}

/**
 * Records an installation where its uninstall script can find it, which knows no more than its own path.
 * @throws the file system's error
 */
export async function recordInstallation(installation: Installation, machine: Machine, files: Files): Promise<void> {
  const folder = recordsFolder(machine);
  await files.makePrivateDirectory(folder);
  const path = join(folder, nameOf(installation));
  const text = JSON.stringify({ version: 1, ...installation });
  if ((await files.read(path)) !== text) {
    await files.remove(path);
    await files.create(path, text);
  }
}

/** The installations of which the extension lay in this folder. */
export async function installationsIn(extensions: string, machine: Machine, files: Files): Promise<Installation[]> {
  const folder = recordsFolder(machine);
  const names = (await files.list(folder)).filter((name) => name.endsWith('.json'));
  const records = await Promise.all(names.map(async (name) => parseJson((await files.read(join(folder, name))) ?? '')));
  return records.filter(isInstallation).filter((each) => each.extensions === extensions);
}

/** Removes the record of an installation. */
export async function forgetInstallation(installation: Installation, machine: Machine, files: Files): Promise<void> {
  await files.remove(join(recordsFolder(machine), nameOf(installation)));
}

/** Where programs keep their state, as each system has it. */
function recordsFolder({ home, environment, system }: Machine): string {
  const name = 'notion-mcp-auth';
  switch (system) {
    case 'win32':
      return join(environment.LOCALAPPDATA || join(home, 'AppData', 'Local'), name);
    case 'darwin':
      return join(home, 'Library', 'Application Support', name);
    default:
      return join(environment.XDG_STATE_HOME || join(home, '.local', 'state'), name);
  }
}

function nameOf({ agents }: Installation): string {
  return `${createHash('sha256').update(agents).digest('hex').slice(0, 16)}.json`;
}

function isInstallation(value: unknown): value is Installation {
  return (
    isObject(value) && value.version === 1 && typeof value.extensions === 'string' && typeof value.agents === 'string'
  );
}
