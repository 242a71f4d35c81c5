import type { IncomingMessage } from 'node:http';
import { isObject, parseJson } from '../../core/json.ts';
import type { Message } from './message.ts';
import { messagesOf } from './responseMessages.ts';
import type { WindowConnection } from './windowConnection.ts';

/** The revision that is spoken with a server that has not said which. */
const defaultVersion = '2025-06-18';

const sessionHeader = 'mcp-session-id';

type Headers = Readonly<Record<string, string>>;

/** Sends a message to the MCP server. */
export type Post = (
  window: WindowConnection,
  message: { method: string; body: Uint8Array },
  headers: Headers,
) => Promise<IncomingMessage>;

/**
 * The session with the account's MCP server. It belongs to that server, not to a window, so it outlives windows. What
 * the agent began it with is kept, for a server that has forgotten it.
 */
export class Session {
  readonly #post: Post;
  #initialize: Message | undefined;
  #id: string | undefined;
  #version: string | undefined;
  #hasBegun = false;
  #beginning: Promise<void> | undefined;

  constructor(post: Post) {
    this.#post = post;
  }

  /** Whether a message belongs to a session that the agent has begun, and the server does not know yet. */
  isUnknownToServer({ method, modernHeaders }: Message): boolean {
    const isOfSession = method !== 'initialize' && modernHeaders === undefined;
    return isOfSession && this.#initialize !== undefined && (!this.#hasBegun || this.#beginning !== undefined);
  }

  /** Whether the server sends messages on its own, as it does in revisions before 2026-07-28. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Whether the agent has begun a session at all, as revisions before 2026-07-28 do. */
  get isHandshake(): boolean {
    return this.#initialize !== undefined;
  }

  /** The revision that was agreed on, or else the one that the agent asked for. */
  get version(): string {
    const asked = this.#initialize?.params.protocolVersion;
    return this.#version ?? (typeof asked === 'string' ? asked : defaultVersion);
  }

  /** Notes that the agent begins anew. */
  begin(initialize: Message): void {
    this.#initialize = initialize;
    this.#id = undefined;
    this.#version = undefined;
    this.#hasBegun = false;
  }

  /** The headers of a message (Streamable HTTP, 2025-06-18 and 2026-07-28). */
  headersFor({ method, modernHeaders }: Message): Headers {
    return { ...postHeaders, ...(modernHeaders ?? (method === 'initialize' ? {} : this.#headers())) };
  }

  /** The headers of the request for the server's own messages. */
  streamHeaders(): Record<string, string> {
    return { accept: 'text/event-stream', ...this.#headers() };
  }

  /** Whether the response to a message with these headers says that the server has forgotten the session. */
  isLost(sent: Headers, { statusCode }: IncomingMessage): boolean {
    return sent[sessionHeader] !== undefined && (statusCode === 404 || statusCode === 400);
  }

  /** Notes that the server has forgotten the session of these headers, unless another one has begun since. */
  lose(sent: Headers): void {
    if (sent[sessionHeader] === this.#id) {
      this.#id = undefined;
      this.#hasBegun = false;
    }
  }

  /** Learns from the response to `initialize` which session it began. */
  learn({ method }: { method: string }, response: IncomingMessage): void {
    const id = response.headers[sessionHeader];
    if (method === 'initialize' && typeof id === 'string') {
      this.#id = id;
    }
  }

  /** Notes that the server has begun the session, in the revision that it chose. */
  agree(result: Record<string, unknown>): void {
    this.#hasBegun = true;
    if (typeof result.protocolVersion === 'string') {
      this.#version = result.protocolVersion;
    }
  }

  /**
   * Begins the agent's session at a server that does not know it, once for all requests that find that out together.
   * @throws whatever the connection throws
   */
  async beginAgain(window: WindowConnection): Promise<void> {
    this.#beginning ??= this.#begin(window).finally(() => {
      this.#beginning = undefined;
    });
    await this.#beginning;
  }

  async #begin(window: WindowConnection): Promise<void> {
    const initialize = this.#initialize;
    if (initialize === undefined) {
      return;
    }
    const response = await this.#post(window, initialize, postHeaders);
    this.learn(initialize, response);
    for await (const { text } of messagesOf(response)) {
      const message = parseJson(text);
      if (isObject(message) && isObject(message.result)) {
        this.agree(message.result);
        break;
      }
    }
    if (this.#hasBegun) {
      (await this.#post(window, initialized, { ...postHeaders, ...this.#headers() })).resume();
    }
  }

  #headers(): Record<string, string> {
    return {
      ...(this.#version !== undefined && { 'mcp-protocol-version': this.#version }),
      ...(this.#id !== undefined && { [sessionHeader]: this.#id }),
    };
  }
}

const postHeaders = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

const initialized = {
  method: 'notifications/initialized',
  body: new TextEncoder().encode('{"jsonrpc":"2.0","method":"notifications/initialized"}'),
};
