import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

/** Opens silent connections to a port of this machine, one after the other, so that each is accepted at once. */
export async function openConnections(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const socket = connect({ host: '127.0.0.1', port });
    // The listener may reset a connection.
    sockets.push(socket.on('error', () => undefined));
    await once(socket, 'connect');
  }
  return sockets;
}

/** Waits until a connection is closed, and discards what it receives. */
export async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) {
    // Not by `once`, which rejects where the connection is reset.
    await new Promise((resolve) => socket.once('close', resolve));
  }
}

/** How many TCP connections are open in this process. One within the process has two ends. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

/** Lets the event loop run until a condition holds. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) {
    await turn();
  }
}
