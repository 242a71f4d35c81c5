import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Scope } from '../../unit/http/authority.ts';

/** A port behind which a server is far away. */
export interface Link {
  port: number;
  /** How many connections were opened so far. */
  opened(): number;
}

/**
 * Stands in for a distant network: what one side sends reaches the other `oneWayMs` later. A local connection stands at
 * once, so the client's first bytes are delayed by the round trip for which it would have waited.
 */
export async function startLink(scope: Scope, port: number, oneWayMs: number): Promise<Link> {
  let opened = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    opened += 1;
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    const establishedMs = performance.now() + 2 * oneWayMs;
    relay(near, far, () => Math.max(performance.now(), establishedMs) + oneWayMs);
    relay(far, near, () => performance.now() + oneWayMs);
    for (const socket of [near, far]) {
      sockets.add(socket.on('error', () => socket.destroy()));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  scope.after(() => {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  return { port: (server.address() as AddressInfo).port, opened: () => opened };
}

/** Passes on what `from` sends, in order, at the time that `due` returns. */
function relay(from: Socket, to: Socket, due: () => number): void {
  let last = Promise.resolve();
  const later = (action: () => void): void => {
    const dueMs = due();
    last = last.then(async () => {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) {
        await new Promise((resolve) => setTimeout(resolve, leftMs));
      }
      action();
    });
  };
  from.on('data', (chunk: Buffer) => later(() => to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('close', () => later(() => to.destroy()));
}
