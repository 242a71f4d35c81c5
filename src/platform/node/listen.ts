import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Listener } from '../contract.ts';

/** Node's check for slow clients wakes up the process. Only programs on this machine can connect, so it runs rarely. */
const slowClientCheckMs = 60 * 60_000;

/** Longer than clients keep idle connections, so that they close them and never write to one that we are closing. */
const idleConnectionMs = 10 * 60_000;

/** `Listen`, for handlers that need all of Node's request and response. */
type NodeListen = (handle: (request: IncomingMessage, response: ServerResponse) => void) => Promise<Listener>;

export const listen: NodeListen | undefined = async (handle) => {
  const server = createServer(
    {
      // Duplicate headers arrive joined, so that they never equal an expected value (request smuggling).
      joinDuplicateHeaders: true,
      insecureHTTPParser: false,
      // `handle` checks the Host header and rejects a wrong or missing one like any other bad request.
      requireHostHeader: false,
      connectionsCheckingInterval: slowClientCheckMs,
      keepAliveTimeout: idleConnectionMs,
    },
    handle,
  );
  server.on('clientError', rejectMalformed);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  // From here on an error means that one connection could not be accepted; without a listener it would end the process.
  server.on('error', () => undefined);
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      // A connection with a response in progress is closed soon after the response, not kept for another request.
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

/** A malformed request (not HTTP, too long, two lengths) gets the same response as an unauthorized one. */
function rejectMalformed(_error: Error, socket: Duplex): void {
  if (socket.writable) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
  } else {
    socket.destroy();
  }
}
