import { messagesOf } from './responseMessages.ts';
import type { WindowConnection } from './windowConnection.ts';

/** The stream of messages that the MCP server sends on its own. */
export class ServerStream {
  readonly #send: (message: string) => Promise<void>;
  /** The window that carries the stream, or that said that there is none. */
  #window: WindowConnection | undefined;

  constructor(send: (message: string) => Promise<void>) {
    this.#send = send;
  }

  /** Opens the stream, unless it is open at this window. Resolves once it has ended. Never rejects. */
  async open(window: WindowConnection, headers: Record<string, string>, signal: AbortSignal): Promise<void> {
    if (this.#window === window) {
      return;
    }
    this.#window = window;
    const isSupported = await this.#pass(window, headers, signal).catch(() => true);
    if (isSupported && this.#window === window) {
      this.#window = undefined;
    }
  }

  async #pass(window: WindowConnection, headers: Record<string, string>, signal: AbortSignal): Promise<boolean> {
    const response = await window.send({ method: 'GET', headers, signal });
    for await (const { text, outline } of messagesOf(response)) {
      // Responses belong to the streams of their requests.
      if (response.statusCode === 200 && outline.kind !== 'response') {
        await this.#send(text);
      }
    }
    return response.statusCode !== 405;
  }
}
