import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** Sends a message as a line of JSON; to nobody when the other side is gone. */
export function say(socket: Socket, message: unknown): void {
  if (!socket.destroyed) {
    socket.write(`${JSON.stringify(message)}\n`);
  }
}

/** Calls `heard` with each message. A broken connection is nobody's surprise here. */
export function hear<Message>(socket: Socket, heard: (message: Message) => void): void {
  const gone = (): void => void socket.destroy();
  socket.on('error', gone);
  createInterface({ input: socket })
    .on('error', gone)
    .on('line', (line) => heard(JSON.parse(line) as Message));
}
