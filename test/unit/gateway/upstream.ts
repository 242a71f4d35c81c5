import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import type { Transport } from '../../../src/http/transport.ts';
import { createPoolTransport } from '../../../src/platform/node/pools.ts';
import { type ScriptedServer, still } from './scriptedServer.ts';

/** The ways in which a call reaches the MCP server. */
export const upstreams: readonly Upstream[] = [
  { name: 'our own connections', createTransport: () => createPoolTransport(), isOurs: true },
  { name: 'the host’s fetch', createTransport: () => createFetchTransport(fetch), isOurs: false },
];

export interface Upstream {
  name: string;
  createTransport: () => Transport;
  isOurs: boolean;
}

/** How many connections the server has once none is opened or closed any more. */
export async function leftConnections(server: ScriptedServer, { isOurs }: Upstream): Promise<number> {
  await still(() => server.connections * 1_000_000 + server.openConnections);
  // The host's undici connects again after an aborted request and closes that connection, which carries nothing, within
  // four seconds (nodejs/undici#5845).
  return isOurs ? server.openConnections : server.usedConnections;
}
