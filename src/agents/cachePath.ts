import { toHex } from '../core/encoding.ts';
import type { Files } from '../platform/contract.ts';
import type { Endpoint } from './protocol.ts';

/** The directory of the launcher and the bridge's files, beside the journal's. */
export function agentsDirectory(journalDirectory: string): string {
  return journalDirectory.replace(/[^\\/]+[\\/]?$/, 'agents');
}

/**
 * Where a bridge keeps what an account's server has told its agent, which another agent may not be allowed to see. The
 * name does not tell the workspace's.
 */
export async function cachePath(journalDirectory: string, { handle, agent }: Endpoint): Promise<string> {
  return `${agentsDirectory(journalDirectory)}/${await hashOf(handle)}.${agent}.cache`;
}

/**
 * Removes what the bridges of an account keep, except those of the agents for which `isKept` is true.
 * @throws the file system's error
 */
export async function removeCaches(
  files: Pick<Files, 'list' | 'remove'>,
  journalDirectory: string,
  handle: string,
  isKept: (agent: string) => boolean,
): Promise<void> {
  const folder = agentsDirectory(journalDirectory);
  // The bridges of earlier versions have one for all agents.
  const ofAccount = new RegExp(`^${await hashOf(handle)}(?:\\.([a-z0-9-]+))?\\.cache$`);
  for (const name of await files.list(folder)) {
    const match = ofAccount.exec(name);
    if (match !== null && !isKept(match[1] ?? '')) {
      await files.remove(`${folder}/${name}`);
    }
  }
}

async function hashOf(handle: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(handle));
  return toHex(new Uint8Array(hash)).slice(0, 16);
}
