import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Admit, Listener } from '../contract.ts';
import { Admission } from './admission.ts';
import { createHttpServer } from './httpServer.ts';

/** `Listen`, for handlers that need all of Node's request and response. */
type NodeListen = (
  handle: (request: IncomingMessage, response: ServerResponse, admit: Admit) => void,
  clock?: Clock,
) => Promise<Listener>;

export const listen: NodeListen | undefined = async (handle, clock = systemClock) => {
  const admission = new Admission(clock);
  const server = createHttpServer((request, response) =>
    handle(request, response, () => admission.admit(request.socket)),
  );
  server.on('connection', (socket) => admission.add(socket));
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
