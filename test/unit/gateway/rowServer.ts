import type { ServerResponse } from 'node:http';
import { end, event, type Operation, type ResponseRow, sendEvents, sendJson, toolsChanged } from './clientRows.ts';
import { type Received, ScriptedServer } from './scriptedServer.ts';

/** An MCP server with one tool, which responds to one operation as a row says until it is told to be healthy. */
export class RowServer {
  readonly #server: ScriptedServer;
  readonly #elsewhere: ScriptedServer;
  readonly #name: string;
  #row: ResponseRow | undefined;
  #operation: Operation | undefined;
  /** The session that the row applies to. */
  #spoiledSession: string | undefined;
  #playedTimes = 0;
  #played = Promise.withResolvers<void>();
  /** The message that a client gets if it resumes the stream of the operation. */
  #unsent: object | undefined;
  #resumptions = 0;
  #sessions = 0;
  #handshakes = 0;

  private constructor(name: string, server: ScriptedServer, elsewhere: ScriptedServer) {
    this.#name = name;
    this.#server = server;
    this.#elsewhere = elsewhere;
    server.script = (response, request) => this.#respond(response, request);
    elsewhere.script = (response) => response.writeHead(404).end();
  }

  /** Starts a healthy server, which introduces itself with `name`. */
  static async start(name = 'row'): Promise<RowServer> {
    return new RowServer(name, await ScriptedServer.start(), await ScriptedServer.start());
  }

  get url(): string {
    return this.#server.url;
  }

  /** How many handshakes succeeded since `play`. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /** Resolves as soon as the server has responded as the row says. */
  get played(): Promise<void> {
    return this.#played.promise;
  }

  /** Whether a client sent its token to the other origin. */
  get isTokenLeaked(): boolean {
    return this.#elsewhere.received.some(({ headers }) => headers.authorization !== undefined);
  }

  /** Responds to an operation as the row says from now on. */
  play(played: ResponseRow, operation: Operation): void {
    this.beHealthy();
    this.#row = played;
    this.#handshakes = 0;
    this.#operation = operation;
  }

  beHealthy(): void {
    this.#row = undefined;
    this.#operation = undefined;
    this.#spoiledSession = undefined;
    this.#playedTimes = 0;
    this.#played = Promise.withResolvers();
    this.#unsent = undefined;
    this.#resumptions = 0;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server.stop(), this.#elsewhere.stop()]);
  }

  #respond(response: ServerResponse, request: Received): void {
    const { id, method, params } = (request.body === '' ? {} : JSON.parse(request.body)) as Message;
    const operation = request.method === 'POST' ? method : request.method;
    const session = request.headers['mcp-session-id'] as string | undefined;
    const result = this.#resultOf(method, params);
    const message = id === undefined ? toolsChanged : { jsonrpc: '2.0', id, result };
    if (request.method === 'GET' && request.headers['last-event-id'] !== undefined) {
      this.#resume(response);
    } else if (operation === this.#operation && request.url === '/mcp' && this.#appliesIn(session)) {
      this.#unsent = message;
      this.#row?.respond({ response, message, before: this.#playedTimes, elsewhere: this.#elsewhere.url });
      this.#playedTimes += 1;
      this.#played.resolve();
    } else if (request.method === 'GET') {
      end(response, 405);
    } else if (id === undefined) {
      end(response, 202);
    } else {
      if (method === 'initialize') {
        this.#handshakes += 1;
        this.#openSession(response);
      }
      sendJson(response, 200, message);
    }
  }

  #appliesIn(session: string | undefined): boolean {
    this.#spoiledSession ??= session;
    return session === this.#spoiledSession;
  }

  #resume(response: ServerResponse): void {
    this.#resumptions += 1;
    if (this.#unsent !== undefined && this.#resumptions === this.#row?.resumedAt) {
      sendEvents(response, event(this.#unsent));
    } else {
      end(response, 503);
    }
  }

  #openSession(response: ServerResponse): void {
    if (this.#row?.session) {
      this.#sessions += 1;
      response.setHeader('mcp-session-id', `session-${this.#sessions}`);
    }
  }

  #resultOf(method: string | undefined, params: Message['params']): object {
    switch (method) {
      case 'initialize':
        return {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: this.#name, version: '1' },
        };
      case 'tools/list':
        return { tools: [tool] };
      case 'tools/call':
        return { content: [{ type: 'text', text: 'done' }] };
      default:
        return {};
    }
  }
}

interface Message {
  id?: unknown;
  method?: string;
  params?: { protocolVersion?: string };
}

/** A tool that the editor runs without confirmation. */
const tool = {
  name: 'do',
  description: 'Does something.',
  inputSchema: { type: 'object', properties: {} },
  annotations: { readOnlyHint: true },
};
