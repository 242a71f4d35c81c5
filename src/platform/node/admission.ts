import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';

/** How long a connection may take to present a request that is admitted. */
export const admissionLimitMs = 10_000;

/** More than callers open at once, and few enough to leave the editor its file descriptors. */
export const maxWaiting = 128;

/**
 * The connections of a listener whose caller is still unknown. Any user of the machine can open connections, and each
 * takes a file descriptor from all extensions of the process. So the oldest one is closed when there are too many, and
 * each of them when its time is up, however slowly it sends. A timer runs only while such a connection exists.
 */
export class Admission {
  /** With each connection, oldest first, what cancels its timer. */
  readonly #waiting = new Map<Socket, () => void>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(socket: Socket): void {
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= maxWaiting) {
      this.#drop(oldest);
    }
    this.#waiting.set(
      socket,
      this.#clock.after(admissionLimitMs, () => {
        // After the process was blocked, a timer can be due before a request that arrived in time is read.
        setImmediate(() => this.#drop(socket));
      }),
    );
    socket.once('close', () => this.admit(socket));
  }

  /** Lets a connection stay open for as long as its caller likes. */
  admit(socket: Socket): void {
    this.#waiting.get(socket)?.();
    this.#waiting.delete(socket);
  }

  /** Closes every connection that was not admitted. */
  close(): void {
    for (const socket of this.#waiting.keys()) {
      this.#drop(socket);
    }
  }

  #drop(socket: Socket): void {
    if (this.#waiting.has(socket)) {
      this.admit(socket);
      socket.destroy();
    }
  }
}
