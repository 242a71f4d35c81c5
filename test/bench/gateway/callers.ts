import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Calls one tool repeatedly; a call resolves once its response has arrived. */
export interface Caller {
  call(): Promise<void>;
  close(): void;
}

const message = { jsonrpc: '2.0', method: 'tools/call', params: { name: 'notion-fetch', arguments: { id: 'self' } } };

/** Calls over a connection of its own, with as little work as possible, because the other side is measured. */
export class HttpCaller implements Caller {
  readonly #socket: Socket;
  readonly #request: string;
  #text = '';
  #resolveCall: (() => void) | undefined;

  private constructor(socket: Socket, request: string) {
    this.#socket = socket;
    this.#request = request;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#receive(chunk));
  }

  static async open(url: string, authorization = 'Bearer token'): Promise<HttpCaller> {
    const { hostname, port, host, pathname } = new URL(url);
    const body = JSON.stringify({ ...message, id: 1 });
    const head = [
      `POST ${pathname} HTTP/1.1`,
      `host: ${host}`,
      'connection: keep-alive',
      `authorization: ${authorization}`,
      'accept: application/json, text/event-stream',
      'content-type: application/json',
      'mcp-protocol-version: 2025-06-18',
      'user-agent: bench',
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    const socket = connect({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    return new HttpCaller(socket, `${head.join('\r\n')}\r\n\r\n${body}`);
  }

  call(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolveCall = resolve;
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    this.#text += chunk;
    const headEnd = this.#text.indexOf('\r\n\r\n');
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(this.#text)?.[1];
    const complete =
      length === undefined ? this.#text.endsWith('\r\n0\r\n\r\n') : this.#text.length === headEnd + 4 + Number(length);
    if (headEnd === -1 || !complete) {
      return;
    }
    if (!this.#text.startsWith('HTTP/1.1 200') || !this.#text.includes('"result"')) {
      throw new Error(this.#text);
    }
    this.#text = '';
    this.#resolveCall?.();
  }
}

/** Calls over the standard input and output of a process, one message per line. */
export class StdioCaller implements Caller {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, () => void>();
  #id = 0;
  #text = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (this.#text + chunk).split('\n');
      this.#text = lines.pop() ?? '';
      for (const line of lines) {
        const { id, result } = JSON.parse(line) as { id?: number; result?: unknown };
        if (id !== undefined && result === undefined) {
          throw new Error(line);
        }
        this.#pending.get(id ?? -1)?.();
        this.#pending.delete(id ?? -1);
      }
    });
  }

  async initialize(): Promise<void> {
    const clientInfo = { name: 'bench', version: '1' };
    await this.#send({ method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
    this.#write({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  call(): Promise<void> {
    return this.#send(message);
  }

  close(): void {
    this.#child.stdin?.end();
  }

  #send(request: Record<string, unknown>): Promise<void> {
    this.#id += 1;
    const id = this.#id;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.#write({ jsonrpc: '2.0', ...request, id });
    });
  }

  #write(value: unknown): void {
    this.#child.stdin?.write(`${JSON.stringify(value)}\n`);
  }
}
