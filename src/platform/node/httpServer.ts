import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Longer than clients keep idle connections, so that they close them and never write to one that we are closing. */
const idleConnectionMs = 10 * 60_000;

/** Node's own checks for slow clients wake up the process also while there is none, so they hardly ever run. */
const slowClientCheckMs = 2 ** 31 - 1;

/**
 * Creates a server for plain requests of local callers. What is none gets an empty 404, as `handle` gives it to a caller
 * that it does not know.
 */
export function createHttpServer(handle: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createServer(
    {
      // Duplicate headers arrive joined, so that they never equal an expected value (request smuggling).
      joinDuplicateHeaders: true,
      insecureHTTPParser: false,
      // `handle` checks the Host header and rejects a wrong or missing one like any other bad request.
      requireHostHeader: false,
      maxHeaderSize: 16 * 1024,
      // `Admission` limits the time of strangers. Admitted callers have all the time that they need.
      headersTimeout: 0,
      requestTimeout: 0,
      connectionsCheckingInterval: slowClientCheckMs,
      keepAliveTimeout: idleConnectionMs,
    },
    handle,
  );
  server.on('clientError', (_error, socket) => refuse(socket));
  // Node itself would respond to these before `handle` sees them. No caller of ours sends them.
  server.on('connect', ({ socket }) => refuse(socket));
  server.on('upgrade', ({ socket }) => refuse(socket));
  server.on('checkContinue', ({ socket }) => refuse(socket));
  server.on('checkExpectation', ({ socket }) => refuse(socket));
  return server;
}

/** What is not a plain request (malformed, too long, an upgrade) gets the same response as an unauthorized one. */
function refuse(socket: Duplex): void {
  if (socket.writable) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
  } else {
    socket.destroy();
  }
}
