import { toHex } from '../core/encoding.ts';

/** The directory of the launcher and the bridge's files, beside the journal's. */
export function agentsDirectory(journalDirectory: string): string {
  return journalDirectory.replace(/[^\\/]+[\\/]?$/, 'agents');
}

/** Where a bridge keeps what an account's server says about itself. The name does not tell the workspace's. */
export async function cachePath(journalDirectory: string, handle: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(handle));
  return `${agentsDirectory(journalDirectory)}/${toHex(new Uint8Array(hash)).slice(0, 16)}.cache`;
}
