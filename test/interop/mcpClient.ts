import type { RunningGateway } from '../../src/gateway/contract.ts';
import { eventData } from '../../src/mcp/eventStream.ts';
import { type RpcError, rpcErrorIn } from '../../src/mcp/jsonRpc.ts';

/** The revisions that start with a handshake; later ones repeat its contents in every request. */
const stateful = /^202[45]-/;

/** A minimal MCP client, for calls of an account over the gateway. */
export class McpClient {
  readonly #url: string;
  readonly #secret: string;
  readonly #version: string;
  #session: string | undefined;
  #initialized = false;
  #lastId = 0;

  constructor(gateway: RunningGateway, grantId: string, version: string) {
    this.#url = gateway.urlFor(grantId);
    this.#secret = gateway.secretFor(grantId).reveal();
    this.#version = version;
  }

  /** Sends one request, after the handshake if the revision has one. Resolves to the error, if there is one. */
  async request(method: string, params: Record<string, unknown>): Promise<RpcError | undefined> {
    if (!stateful.test(this.#version)) {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': this.#version,
        'io.modelcontextprotocol/clientInfo': clientInfo,
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      return this.#post({ id: this.#nextId(), method, params: { ...params, _meta } });
    }
    if (!this.#initialized) {
      const handshake = { protocolVersion: this.#version, capabilities: {}, clientInfo };
      const error = await this.#post({ id: this.#nextId(), method: 'initialize', params: handshake });
      if (error !== undefined) {
        return error;
      }
      this.#initialized = true;
      await this.#post({ method: 'notifications/initialized' });
    }
    return this.#post({ id: this.#nextId(), method, params });
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  async #post(message: Record<string, unknown>): Promise<RpcError | undefined> {
    const { method, params } = message as { method: string; params?: { name?: string } };
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        authorization: `Bearer ${this.#secret}`,
        'mcp-protocol-version': this.#version,
        'mcp-method': method,
        ...(params?.name !== undefined && { 'mcp-name': params.name }),
        ...(this.#session !== undefined && { 'mcp-session-id': this.#session }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
    this.#session = response.headers.get('mcp-session-id') ?? this.#session;
    const body = await response.text();
    const messages = response.headers.get('content-type')?.includes('event-stream') ? eventData(body) : [body];
    const error = messages.map(rpcErrorIn).find((each) => each !== undefined);
    if (error === undefined && !response.ok) {
      throw new Error(`${method} returned ${response.status}: ${body.slice(0, 300)}`);
    }
    return error;
  }
}

const clientInfo = { name: 'notion-mcp-auth', version: '1' };
