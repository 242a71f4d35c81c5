import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { timingSafeEqual } from '#platform/timingSafeEqual';
import type { Clock } from '../../core/clock.ts';
import { toBase64Url } from '../../core/encoding.ts';
import type { Randomness } from '../../core/random.ts';
import { readLine } from '../../platform/node/readLine.ts';
import { type Endpoint, greeting, maxGreetingBytes, mcpPath, proofLine, prove, statusPath } from '../protocol.ts';
import type { WindowEntry } from '../windowEntry.ts';

/** A window that is alive proves itself in milliseconds; one whose process hangs is passed over. */
const proofLimitMs = 3_000;

/** Shorter than the window keeps idle connections, so that none is closed just as a request goes out. */
const idleConnectionMs = 5 * 60_000;

/**
 * Few enough to leave the window its file descriptors; further requests wait. `Agent` does not count connections that
 * are being made, so its own limit would not hold.
 */
const maxUnderWay = 64;

/** No connection to the window could be made, so nothing was sent. */
export class WindowGone extends Error {
  override readonly name = 'WindowGone';
}

export interface WindowRequest {
  method: 'POST' | 'GET' | 'DELETE';
  headers: Record<string, string>;
  body?: Uint8Array;
  signal: AbortSignal;
  /** The window is taken to hang if it sends nothing for so long; undefined for a stream that may be silent. */
  silenceMs?: number | undefined;
}

export interface ConnectionParts {
  randomness: Randomness;
  clock: Clock;
}

/** The connections to one window, each of which the window begins with a proof that it is the one of the entry. */
export class WindowConnection {
  readonly #entry: WindowEntry;
  readonly #endpoint: Endpoint;
  readonly #agent: ProvenAgent;
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(entry: WindowEntry, endpoint: Endpoint, parts: ConnectionParts) {
    this.#entry = entry;
    this.#endpoint = endpoint;
    this.#agent = new ProvenAgent(entry, parts);
  }

  /**
   * Asks the window whether it serves the account.
   * @returns a `WindowStatus`, another word of a later version, or nothing if the window refuses to say it
   * @throws WindowGone, or Node's error if the connection broke
   */
  async status(signal: AbortSignal): Promise<string> {
    const response = await this.#send(statusPath(this.#endpoint), { method: 'GET', headers: {}, signal });
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
    }
    return text;
  }

  /**
   * Sends a request to the account's MCP endpoint.
   * @throws WindowGone if nothing was sent, or Node's error if the connection broke later
   */
  send(sent: WindowRequest): Promise<IncomingMessage> {
    return this.#send(mcpPath(this.#endpoint), sent);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(path: string, { method, headers, body, signal, silenceMs }: WindowRequest): Promise<IncomingMessage> {
    while (this.#underWay >= maxUnderWay) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#underWay += 1;
    return new Promise((resolve, reject) => {
      const sent = request({
        agent: this.#agent,
        // Only a name for the `Host` header: the agent connects to the window's socket.
        host: 'localhost',
        path,
        method,
        headers: { ...headers, authorization: `Bearer ${this.#entry.secret.reveal()}` },
        signal,
        ...(silenceMs !== undefined && { timeout: silenceMs }),
      });
      sent
        .on('timeout', () => sent.destroy(new Error('the window is silent')))
        .on('response', resolve)
        .on('error', reject)
        .on('close', () => {
          this.#underWay -= 1;
          this.#waiting.shift()?.();
        })
        .end(body);
    });
  }
}

class ProvenAgent extends Agent {
  readonly #entry: WindowEntry;
  readonly #parts: ConnectionParts;

  constructor(entry: WindowEntry, parts: ConnectionParts) {
    super({ keepAlive: true, timeout: idleConnectionMs });
    this.#entry = entry;
    this.#parts = parts;
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    this.#connect().then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as never),
    );
  }

  async #connect(): Promise<Socket> {
    const { path, secret } = this.#entry;
    const nonce = toBase64Url(this.#parts.randomness.bytes(32));
    const socket = connect(path);
    // An error is followed by `close`, which `readLine` reports.
    socket.on('error', () => undefined);
    const stopTimer = this.#parts.clock.after(proofLimitMs, () => socket.destroy());
    try {
      socket.write(greeting(nonce));
      const [text, proof] = await Promise.all([readLine(socket, maxGreetingBytes), prove(secret, nonce, path)]);
      const line = Buffer.from(text);
      const expected = Buffer.from(proofLine(proof).trimEnd());
      if (line.length !== expected.length || !timingSafeEqual(line, expected)) {
        throw new Error('the window did not prove itself');
      }
      // `readLine` has paused it.
      socket.resume();
      return socket;
    } catch (cause) {
      socket.destroy();
      throw new WindowGone('no window', { cause });
    } finally {
      stopTimer();
    }
  }
}
