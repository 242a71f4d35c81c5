import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Credentials, Scope } from './authority.ts';

/** An https server on loopback, which is closed after the test. */
export async function startTlsServer(t: Scope, credentials: Credentials, handle: RequestListener = greet) {
  const received: IncomingMessage[] = [];
  const connections = { opened: 0, open: 0, handshakes: 0, events: new EventEmitter<{ closed: [] }>() };
  const server = createServer(credentials, (request, response) => {
    received.push(request);
    handle(request, response);
  }).listen(0, '127.0.0.1');
  // It announces no time after which it closes idle connections, and closes none.
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => {
    connections.opened += 1;
    connections.open += 1;
    socket.on('close', () => {
      connections.open -= 1;
      connections.events.emit('closed');
    });
  });
  server.on('secureConnection', () => {
    connections.handshakes += 1;
  });
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received, connections };
}

const greet: RequestListener = (_request, response) => {
  response.end('hello');
};
