import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { Admission } from './admission.ts';
import { createHttpServer } from './httpServer.ts';
import { readLine } from './readLine.ts';

/** A server on a Unix socket or a named pipe. */
export interface SocketListener {
  /** Drops every connection, and removes the socket. */
  close(): Promise<void>;
}

export interface SocketListenerOptions {
  path: string;
  /** No first line is longer, in bytes. */
  maxGreetingBytes: number;
  /** Returns the reply to a connection's first line, which comes before HTTP; undefined to close the connection. */
  greet(line: string): Promise<string | undefined>;
  /** Handles a request. A connection is closed within seconds unless `admit` is called for it. */
  handle(request: IncomingMessage, response: ServerResponse, admit: () => void): void;
  clock: Clock;
}

/** Listens on a socket that only its user can reach. @throws the system's error if the path cannot be used */
export async function listenSocket(options: SocketListenerOptions): Promise<SocketListener> {
  const { path, greet, handle, maxGreetingBytes, clock } = options;
  const admission = new Admission(clock);
  const open = new Set<Socket>();
  const http = createHttpServer((request, response) =>
    handle(request, response, () => admission.admit(request.socket)),
  );
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy());
    admission.add(socket);
    void readLine(socket, maxGreetingBytes)
      .then((line) => greet(line))
      .then((reply) => {
        if (reply === undefined) {
          socket.destroy();
          return;
        }
        socket.write(reply);
        http.emit('connection', socket);
        socket.resume();
      })
      .catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // From here on an error means that one connection could not be accepted.
  server.on('error', () => undefined);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        admission.close();
        for (const socket of open) {
          socket.destroy();
        }
      }),
  };
}
