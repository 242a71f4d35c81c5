import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** Sends a message as a line of JSON, or does nothing if the connection is closed. */
export function sendLine(socket: Socket, message: unknown): void {
  if (!socket.destroyed) {
    socket.write(`${JSON.stringify(message)}\n`);
  }
}

/** Calls `listener` with each message. A broken connection is expected and ignored. */
export function onLine<Message>(socket: Socket, listener: (message: Message) => void): void {
  const close = (): void => void socket.destroy();
  socket.on('error', close);
  createInterface({ input: socket })
    .on('error', close)
    .on('line', (line) => listener(JSON.parse(line) as Message));
}
