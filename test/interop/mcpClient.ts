import type { Secret } from '../../src/core/secret.ts';
import type { Http, HttpResponse } from '../../src/http/client.ts';

/** The revisions that start with a handshake; later ones repeat its contents in every request. */
const stateful = /^202[45]-/;

/** A minimal MCP client, for requests to the conformance suite's MCP server. */
export class McpClient {
  readonly #http: Http;
  readonly #serverUrl: URL;
  readonly #version: string;
  #session: string | undefined;
  #initialized = false;
  #lastId = 0;

  constructor(http: Http, serverUrl: URL, version: string) {
    this.#http = http;
    this.#serverUrl = serverUrl;
    this.#version = version;
  }

  /** Sends one request, after the handshake if the revision has one, and returns the HTTP response with any status. */
  async request(method: string, params: Record<string, unknown>, token: Secret | undefined): Promise<HttpResponse> {
    if (!stateful.test(this.#version)) {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': this.#version,
        'io.modelcontextprotocol/clientInfo': clientInfo,
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      return this.#post({ id: this.#nextId(), method, params: { ...params, _meta } }, token);
    }
    if (!this.#initialized) {
      const handshake = { protocolVersion: this.#version, capabilities: {}, clientInfo };
      const response = await this.#post({ id: this.#nextId(), method: 'initialize', params: handshake }, token);
      if (response.status !== 200) {
        return response;
      }
      this.#session = response.headers.get('mcp-session-id') ?? undefined;
      this.#initialized = true;
      await this.#post({ method: 'notifications/initialized' }, token);
    }
    return this.#post({ id: this.#nextId(), method, params }, token);
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #post(message: Record<string, unknown>, token: Secret | undefined): Promise<HttpResponse> {
    const { method, params } = message as { method: string; params?: { name?: string } };
    return this.#http({
      method: 'POST',
      url: this.#serverUrl,
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'mcp-protocol-version': this.#version,
        'mcp-method': method,
        ...(params?.name !== undefined && { 'mcp-name': params.name }),
        ...(this.#session !== undefined && { 'mcp-session-id': this.#session }),
        ...(token !== undefined && { authorization: `Bearer ${token.reveal()}` }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  }
}

const clientInfo = { name: 'notion-mcp-auth', version: '1' };
