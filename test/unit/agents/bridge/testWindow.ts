import { once } from 'node:events';
import { utimesSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  type Endpoint,
  endpointIn,
  maxGreetingBytes,
  nonceIn,
  proofLine,
  prove,
} from '../../../../src/agents/protocol.ts';
import { entryName, formatEntry } from '../../../../src/agents/windowEntry.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { isObject, parseJson } from '../../../../src/core/json.ts';
import { Secret } from '../../../../src/core/secret.ts';
import { listenSocket, type SocketListener } from '../../../../src/platform/node/listenSocket.ts';
import { turns } from '../../gateway/scriptedServer.ts';

/** A request that a window got from a bridge. */
export interface Received extends Endpoint {
  /** The method of the HTTP request. */
  httpMethod: string;
  headers: IncomingMessage['headers'];
  body: string;
  /** The id, method and parameters of the message in it. */
  id: unknown;
  method: string;
  params: Record<string, unknown>;
}

export type Respond = (response: ServerResponse, request: Received) => void;

export const secret = new Secret('s'.repeat(43));

/** The entry and the socket of the window of a number; a higher number is a newer window. */
export function placeOf(directory: string, number: number): { entryPath: string; path: string } {
  return {
    entryPath: join(directory, entryName(number.toString(16).padStart(16, '0'))),
    path: join(directory, `${number}.sock`),
  };
}

export function writeEntry(directory: string, number: number): void {
  const { entryPath, path } = placeOf(directory, number);
  writeFileSync(entryPath, formatEntry({ path, secret }), { mode: 0o600 });
  utimesSync(entryPath, number, number);
}

/** A window with a scripted MCP endpoint. */
export class TestWindow {
  /** What arrived at the MCP endpoint. */
  readonly received: Received[] = [];
  status = 'ready';
  /** How often a bridge asked for the status. */
  statusRequests = 0;
  /** Responds to what arrives at the MCP endpoint. */
  respond: Respond;
  #listener: SocketListener | undefined;
  #changed: (() => void) | undefined;

  private constructor(respond: Respond) {
    this.respond = respond;
  }

  static async start(
    t: { after(cleanup: () => Promise<void>): void },
    directory: string,
    { number = 1, respond = respondAsServer }: { number?: number; respond?: Respond } = {},
  ): Promise<TestWindow> {
    const window = new TestWindow(respond);
    const { path } = placeOf(directory, number);
    window.#listener = await listenSocket({
      path,
      maxGreetingBytes,
      clock: systemClock,
      greet: async (line) => {
        const nonce = nonceIn(line);
        return nonce && proofLine(await prove(secret, nonce, path));
      },
      handle: (request, response, admit) => {
        admit();
        void window.#handle(request, response);
      },
    });
    writeEntry(directory, number);
    t.after(() => window.stop());
    return window;
  }

  /** Drops every connection, as a window does that is closed. Its entry stays. */
  async stop(): Promise<void> {
    await this.#listener?.close();
    this.#listener = undefined;
    // A bridge in this process notices it in the next turns of the event loop.
    await turns(20);
  }

  /** The messages that arrived. */
  get posted(): Received[] {
    return this.received.filter(({ httpMethod }) => httpMethod === 'POST');
  }

  /** The methods of the messages that arrived. */
  get methods(): string[] {
    return this.posted.map(({ method }) => method);
  }

  /** The requests for the server's own messages. */
  get streams(): Received[] {
    return this.received.filter(({ httpMethod }) => httpMethod === 'GET');
  }

  /** Waits until `count` messages of a method have arrived. */
  async arrived(method: string, count = 1): Promise<Received> {
    for (;;) {
      const found = this.received.filter((each) => each.method === method || each.httpMethod === method)[count - 1];
      if (found !== undefined) {
        return found;
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const endpoint = endpointIn(request.url ?? '');
    if (endpoint === undefined || request.headers.authorization !== `Bearer ${secret.reveal()}`) {
      response.writeHead(404).end();
      return;
    }
    if (endpoint.kind === 'status') {
      this.statusRequests += 1;
      response.end(this.status);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const body = Buffer.concat(chunks).toString();
    const message = parseJson(body);
    const { id, method = '', params } = isObject(message) ? message : {};
    const received = {
      ...endpoint,
      httpMethod: request.method ?? '',
      headers: request.headers,
      body,
      id,
      method: String(method),
      params: isObject(params) ? params : {},
    };
    this.received.push(received);
    this.#changed?.();
    this.respond(response, received);
  }
}

export const serverInfo = { name: 'Notion MCP', title: 'Engineering Wiki', version: '1' };

/** Responds as a healthy MCP server of revision 2025-06-18 does. */
export function respondAsServer(response: ServerResponse, { httpMethod, id, method }: Received): void {
  if (httpMethod === 'GET') {
    response.writeHead(405).end();
  } else if (id === undefined || method === '') {
    response.writeHead(202).end();
  } else {
    sendResult(response, id, resultOf(method));
  }
}

function resultOf(method: string): object {
  switch (method) {
    case 'initialize':
      return { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo };
    case 'tools/list':
      return { tools: [{ name: 'notion-fetch', inputSchema: { type: 'object' } }] };
    default:
      return { content: [{ type: 'text', text: 'done' }] };
  }
}

export function sendResult(response: ServerResponse, id: unknown, result: object, headers = {}): void {
  sendJson(response, 200, { jsonrpc: '2.0', id, result }, headers);
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

export function beginEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
}

export function sendEvent(response: ServerResponse, value: object): void {
  response.write(`data: ${JSON.stringify(value)}\n\n`);
}

/** What listens at the path of a window's entry, and does with each connection what a test wants. */
export class RawWindow {
  /** What connections sent, joined. */
  received = '';
  connections = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(connected: (socket: Socket, received: () => string) => void | Promise<void>) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#open.add(socket);
      let received = '';
      socket.on('error', () => undefined).on('close', () => this.#open.delete(socket));
      socket.on('data', (chunk) => {
        received += chunk;
        this.received += chunk;
        void connected(socket, () => received);
      });
    });
  }

  async start(t: { after(cleanup: () => Promise<void>): void }, directory: string, number = 1): Promise<this> {
    this.#server.listen(placeOf(directory, number).path);
    await once(this.#server, 'listening');
    writeEntry(directory, number);
    t.after(() => this.stop());
    return this;
  }

  /** Accepts no further connections. */
  refuse(): void {
    this.#server.close();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) {
      socket.destroy();
    }
    await closed;
  }
}

/** The first line of a connection gets the window's proof; undefined if there is no complete line. */
export async function proofFor(received: string, path: string): Promise<string | undefined> {
  const nonce = nonceIn(received.split('\n')[0] ?? '');
  return nonce && proofLine(await prove(secret, nonce, path));
}
