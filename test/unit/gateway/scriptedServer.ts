import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers the request of that number, counted from one. */
export type Script = (response: ServerResponse, request: Received, number: number) => void;

/** An MCP server that answers what a test tells it to. */
export class ScriptedServer {
  readonly received: Received[] = [];
  readonly #server = createServer((request, response) => void this.#take(request, response));
  #connections = 0;
  script: Script = answerResult;

  static async start(port = 0): Promise<ScriptedServer> {
    const scripted = new ScriptedServer();
    scripted.#server.on('connection', () => {
      scripted.#connections += 1;
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

  /** How many connections were ever made to it. */
  get connections(): number {
    return this.#connections;
  }

  /** Waits for the next request and gives its response, once `begin` has begun it. */
  answered(begin: (response: ServerResponse) => void): Promise<ServerResponse> {
    return new Promise((resolve) => {
      this.script = (response) => {
        begin(response);
        resolve(response);
      };
    });
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) {
      body += chunk;
    }
    const received = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    this.received.push(received);
    this.script(response, received, this.received.length);
  }
}

/** The answer of a server that is well: the method that was called, or 202 for a notification. */
export function answerResult(response: ServerResponse, { body }: Received): void {
  const message: unknown = body === '' ? {} : JSON.parse(body);
  const { id, method } = message as { id?: unknown; method?: unknown };
  if (id === undefined) {
    response.writeHead(202).end();
  } else {
    answerJson(response, 200, { jsonrpc: '2.0', id, result: { method } });
  }
}

export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Writes so many bytes as fast as they are taken; says how many it has written. */
export function pour(response: ServerResponse, total: number): () => number {
  const piece = Buffer.alloc(65_536, 'x');
  let sent = 0;
  const more = (): void => {
    while (sent < total) {
      sent += piece.length;
      if (!response.write(piece)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
  return () => sent;
}

/** Lets everything happen that can happen, until the value stands still; gives the value. */
export async function still(value: () => number): Promise<number> {
  for (let before = Number.NaN; before !== value(); ) {
    before = value();
    await turns(50);
  }
  return value();
}

/** Lets the event loop turn that many times. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
