import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListRootsResultSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** Whether the server responds with JSON or with event streams, and whether it uses sessions. */
export interface ServerMode {
  json: boolean;
  sessions: boolean;
}

/** The official MCP SDK's server, which accepts one access token at a time. */
export class SdkServer {
  /** The only access token that is accepted. */
  accessToken = 'token';
  /** The HTTP statuses that the server sent, in order. */
  readonly statuses: number[] = [];
  /** Emits `waiting` when a call to the tool `wait` begins, and `cancelled` when it is cancelled. */
  readonly toolEvents = new EventEmitter();
  readonly #mode: ServerMode;
  readonly #sessions = new Map<string, StreamableHTTPServerTransport>();
  readonly #http = createServer((request, response) => void this.#handle(request, response));

  constructor(mode: ServerMode) {
    this.#mode = mode;
  }

  async start(port = 0): Promise<this> {
    this.#http.listen(port, '127.0.0.1');
    await once(this.#http, 'listening');
    return this;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('finish', () => this.statuses.push(response.statusCode));
    if (request.headers.authorization !== `Bearer ${this.accessToken}`) {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
      return;
    }
    const { 'mcp-session-id': id } = request.headers;
    const session = this.#sessions.get(String(id));
    if (id !== undefined && session === undefined) {
      response.writeHead(404).end();
      return;
    }
    await (session ?? (await this.#startSession())).handleRequest(request, response);
  }

  async #startSession(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse: this.#mode.json,
      ...(this.#mode.sessions && {
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => {
          this.#sessions.set(id, transport);
        },
        onsessionclosed: (id) => {
          this.#sessions.delete(id);
        },
      }),
    });
    // The SDK's types do not support `exactOptionalPropertyTypes`.
    await createFullServer(this.toolEvents).connect(transport as Transport);
    return transport;
  }
}

function createFullServer(toolEvents: EventEmitter): Server {
  const server = new Server(
    { name: 'everything', version: '1' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true },
        prompts: {},
        completions: {},
        logging: {},
      },
    },
  );
  const uri = 'test://one';
  const inputSchema = { type: 'object' as const };
  const names = ['echo', 'big', 'wait', 'progress', 'listRoots', 'change'];
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: names.map((name) => ({ name, inputSchema })) }));
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [{ uri, name: 'one' }] }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [] }));
  server.setRequestHandler(ReadResourceRequestSchema, () => ({ contents: [{ uri, text: 'content' }] }));
  server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  server.setRequestHandler(SetLevelRequestSchema, () => ({}));
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: [{ name: 'prompt' }] }));
  server.setRequestHandler(GetPromptRequestSchema, () => ({
    messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'hello' } }],
  }));
  server.setRequestHandler(CompleteRequestSchema, () => ({ completion: { values: ['whole'] } }));
  server.setRequestHandler(
    CallToolRequestSchema,
    async ({ params }, { signal, sendNotification, sendRequest, _meta }) => {
      const args = params.arguments ?? {};
      let text = '';
      switch (params.name) {
        case 'echo':
          text = String(args.text);
          break;
        case 'big':
          text = 'ü'.repeat(Number(args.bytes) / 2);
          break;
        case 'wait':
          toolEvents.emit('waiting');
          await once(signal, 'abort');
          toolEvents.emit('cancelled');
          break;
        case 'progress':
          for (let progress = 1; progress <= 3; progress += 1) {
            const progressToken = _meta?.progressToken ?? '';
            await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } });
          }
          break;
        case 'listRoots': {
          const { roots } = await sendRequest({ method: 'roots/list' }, ListRootsResultSchema);
          text = roots.map(({ uri }) => uri).join();
          break;
        }
        case 'change':
          await server.sendToolListChanged();
          break;
      }
      return { content: [{ type: 'text' as const, text }] };
    },
  );
  return server;
}
