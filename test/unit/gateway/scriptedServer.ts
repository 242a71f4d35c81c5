import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Responds to a request; `number` counts the requests from one. */
export type Script = (response: ServerResponse, request: Received, number: number) => void;

/** An MCP server whose responses are scripted by a test. */
export class ScriptedServer {
  readonly received: Received[] = [];
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  #connections = 0;
  readonly #sockets = new Set<Socket>();
  script: Script = respondWithResult;

  static async start(port = 0): Promise<ScriptedServer> {
    const scripted = new ScriptedServer();
    scripted.#server.on('connection', (socket) => {
      scripted.#connections += 1;
      scripted.#sockets.add(socket);
      socket.once('close', () => scripted.#sockets.delete(socket));
    });
    scripted.#server.listen(port, '127.0.0.1');
    await once(scripted.#server, 'listening');
    return scripted;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  /** How many connections the server has accepted so far. */
  get connections(): number {
    return this.#connections;
  }

  /** How many of them are open. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** How many of the open ones have carried a request. */
  get usedConnections(): number {
    return [...this.#sockets].filter(({ bytesRead }) => bytesRead > 0).length;
  }

  /** Waits for the next request, passes its response to `begin` and resolves to that response. */
  nextResponse(begin: (response: ServerResponse) => void): Promise<ServerResponse> {
    return new Promise((resolve) => {
      this.script = (response) => {
        begin(response);
        resolve(response);
      };
    });
  }

  /** Stops the server, unless a test has done so. */
  async stop(): Promise<void> {
    if (!this.#server.listening) {
      return;
    }
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) {
      body += chunk;
    }
    const received = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    this.received.push(received);
    this.script(response, received, this.received.length);
  }
}

/** The response of a healthy server: a result with the method that was called, or 202 for a notification. */
export function respondWithResult(response: ServerResponse, { body }: Received): void {
  const message: unknown = body === '' ? {} : JSON.parse(body);
  const { id, method } = message as { id?: unknown; method?: unknown };
  if (id === undefined) {
    response.writeHead(202).end();
  } else {
    respondWithJson(response, 200, { jsonrpc: '2.0', id, result: { method } });
  }
}

export function respondWithJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Writes `total` bytes as fast as the reader takes them, then `end`. Returns a function that tells how many were written. */
export function pour(response: ServerResponse, total: number, end = ''): () => number {
  const piece = Buffer.alloc(65_536, 'x');
  let sent = 0;
  const writeMore = (): void => {
    while (sent < total) {
      sent += piece.length;
      if (!response.write(piece)) {
        response.once('drain', writeMore);
        return;
      }
    }
    response.end(end);
  };
  writeMore();
  return () => sent;
}

/** Lets the event loop run until `value` no longer changes, and returns it. */
export async function still(value: () => number): Promise<number> {
  for (let before = Number.NaN; before !== value(); ) {
    before = value();
    await turns(50);
  }
  return value();
}

/** Waits for `count` turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
