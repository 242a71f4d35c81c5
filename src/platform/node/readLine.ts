import type { Socket } from 'node:net';

/**
 * Reads a connection's first line, without its end, and leaves what follows to be read.
 * @throws Error if it is longer than `maxBytes`, or the connection ends before it does
 */
export function readLine(socket: Socket, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const fail = (): void => {
      stop();
      reject(new Error('the connection ended before its first line'));
    };
    const read = (chunk: Buffer): void => {
      const end = chunk.indexOf(0x0a);
      text += chunk.subarray(0, end === -1 ? undefined : end).toString('latin1');
      if (text.length > maxBytes) {
        fail();
      } else if (end !== -1) {
        stop();
        if (end + 1 < chunk.length) {
          socket.unshift(chunk.subarray(end + 1));
        }
        resolve(text);
      }
    };
    const stop = (): void => {
      socket.pause();
      socket.off('data', read).off('close', fail);
    };
    socket.on('data', read).on('close', fail);
  });
}
