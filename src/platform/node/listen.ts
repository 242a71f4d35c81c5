import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Admit, Listener } from '../contract.ts';
import { Admission } from './admission.ts';

/** Longer than clients keep idle connections, so that they close them and never write to one that we are closing. */
const idleConnectionMs = 10 * 60_000;

/** Node's own checks for slow clients wake up the process also while there is none, so they hardly ever run. */
const slowClientCheckMs = 2 ** 31 - 1;

/** `Listen`, for handlers that need all of Node's request and response. */
type NodeListen = (
  handle: (request: IncomingMessage, response: ServerResponse, admit: Admit) => void,
  clock?: Clock,
) => Promise<Listener>;

export const listen: NodeListen | undefined = async (handle, clock = systemClock) => {
  const admission = new Admission(clock);
  const server = createServer(
    {
      // Duplicate headers arrive joined, so that they never equal an expected value (request smuggling).
      joinDuplicateHeaders: true,
      insecureHTTPParser: false,
      // `handle` checks the Host header and rejects a wrong or missing one like any other bad request.
      requireHostHeader: false,
      maxHeaderSize: 16 * 1024,
      // `admission` limits the time of strangers. Admitted callers have all the time that they need.
      headersTimeout: 0,
      requestTimeout: 0,
      connectionsCheckingInterval: slowClientCheckMs,
      keepAliveTimeout: idleConnectionMs,
    },
    (request, response) => handle(request, response, () => admission.admit(request.socket)),
  );
  server.on('connection', (socket) => admission.add(socket));
  server.on('clientError', (_error, socket) => refuse(socket));
  // Node itself would respond to these before `handle` sees them. No caller of ours sends them.
  server.on('connect', ({ socket }) => refuse(socket));
  server.on('upgrade', ({ socket }) => refuse(socket));
  server.on('checkContinue', ({ socket }) => refuse(socket));
  server.on('checkExpectation', ({ socket }) => refuse(socket));
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
      admission.close();
    },
    abort: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        admission.close();
      }),
  };
};

/** What is not a plain request (malformed, too long, an upgrade) gets the same response as an unauthorized one. */
function refuse(socket: Duplex): void {
  if (socket.writable) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
  } else {
    socket.destroy();
  }
}
