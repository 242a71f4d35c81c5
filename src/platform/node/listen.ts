import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Listen } from '../contract.ts';

/** A check of Node's own for slow clients wakes the process; only programs of this machine can be slow here. */
const slowClientCheckMs = 60 * 60_000;

/** Longer than callers keep an idle connection, so that they close it and never write into one that we are closing. */
const idleConnectionMs = 10 * 60_000;

export const listen: Listen | undefined = async (handle) => {
  const server = createServer(
    {
      // What is sent twice arrives joined and so equals nothing that is expected (request smuggling).
      joinDuplicateHeaders: true,
      insecureHTTPParser: false,
      // `handle` judges the host and refuses as it refuses everything else.
      requireHostHeader: false,
      connectionsCheckingInterval: slowClientCheckMs,
      keepAliveTimeout: idleConnectionMs,
    },
    handle,
  );
  server.on('clientError', refuse);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  // From here on an error is one connection that could not be accepted; unheard, it would end the process.
  server.on('error', () => undefined);
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      // A connection whose answer is still under way is closed soon after it, not kept for a next request.
      server.keepAliveTimeout = 1;
      server.close();
    },
    abort: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** What is not HTTP, is too long or has two lengths gets what every stranger gets. */
function refuse(_error: Error, socket: Duplex): void {
  if (socket.writable) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
  } else {
    socket.destroy();
  }
}
