import type { IncomingMessage } from 'node:http';
import { isObject, parseJson } from '../../core/json.ts';
import { errorResponse, isSameId, unknownId } from '../../mcp/jsonRpc.ts';
import type { ServerCache } from './cache.ts';
import { type Message, readMessage } from './message.ts';
import { PendingRequests } from './pendingRequests.ts';
import { cachedMethodOf, isOfGateway, isRefusal, Responder } from './responder.ts';
import { messagesOf, type ServerMessage } from './responseMessages.ts';
import { type BridgeProblem, sentenceFor } from './sentences.ts';
import { ServerStream } from './serverStream.ts';
import { Session } from './session.ts';
import type { Line } from './stdio.ts';
import { ToolNotices, type ToolNoticesParts } from './toolNotices.ts';
import { type WindowConnection, WindowGone } from './windowConnection.ts';
import { type WindowFinder, WindowInUse } from './windowInUse.ts';

export interface BridgeParts extends Pick<ToolNoticesParts, 'watch' | 'watchConsent'> {
  windows: WindowFinder;
  cache: ServerCache;
  /** Sends a message to the agent. Resolves once the agent can take another one. */
  send(message: string): Promise<void>;
  /** How long a window may be silent while it carries a message of this method; undefined for any time. */
  silenceMs(method: string): number | undefined;
  /** The editor's own name. */
  editor: string;
}

/** So many windows are tried for one request: windows that come and go must not keep it for ever. */
const maxAttempts = 5;

/** Only a response up to this length is looked at: longer ones are results of tools. */
const maxInspected = 1024 * 1024;

/** Codes of the bridge's own errors, beside those of the gateway. */
const notCarried = -32093;
const cancelled = -32800;
const invalidRequest = -32600;

const toolsChanged = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}';

/**
 * An MCP server to its agent, and a client to whichever window serves the account. It lives as long as the agent wants,
 * through windows that come and go: some agents never start a server again within a session. It never sends a tool call
 * again that a window may have passed on.
 */
export class Bridge {
  readonly #parts: BridgeParts;
  readonly #responder: Responder;
  readonly #window: WindowInUse;
  readonly #session: Session;
  readonly #serverStream: ServerStream;
  readonly #notices: ToolNotices;
  readonly #pending = new PendingRequests();
  /** What must be done before a server takes other messages of a session: `initialize` and its notification. */
  #opening: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    this.#responder = new Responder(parts.cache, parts.send);
    this.#window = new WindowInUse(parts.windows);
    this.#serverStream = new ServerStream(parts.send);
    this.#notices = new ToolNotices({
      ...parts,
      window: this.#window,
      announce: async () => {
        // Of a later revision, only an agent that has subscribed expects it.
        if (this.#session.isHandshake) {
          await parts.send(toolsChanged);
        }
      },
    });
    this.#session = new Session((window, message, headers) =>
      this.#post(window, message, headers, this.#closing.signal),
    );
  }

  /** Handles a line of the agent. Never rejects. */
  async receive(line: Line): Promise<void> {
    const message = readMessage(line);
    if (message === undefined) {
      await this.#reject(line);
      return;
    }
    const isOpening = message.method === 'initialize' || message.method === 'notifications/initialized';
    const handling = message.kind === 'request' ? this.#request(message) : this.#notify(message);
    if (isOpening) {
      this.#opening = handling;
    }
    await handling;
  }

  /** Ends everything that is under way. */
  close(): void {
    this.#closing.abort();
    this.#notices.close();
    this.#window.close();
  }

  /** Responds to each request on a line that is not one message. */
  async #reject({ outlines }: Line): Promise<void> {
    const requests = outlines.filter(({ kind }) => kind === 'request' || kind === 'invalid');
    const ids = outlines.length === 0 ? [unknownId] : requests.map(({ id = unknownId }) => id);
    for (const id of ids) {
      await this.#parts.send(errorResponse(id, { code: invalidRequest, message: 'Invalid Request' }));
    }
  }

  /** Resolves once the request has its response. */
  async #request(message: Message): Promise<void> {
    if (message.method === 'ping') {
      await this.#responder.result(message, {});
      return;
    }
    if (message.method === 'initialize') {
      this.#session.begin(message);
    }
    const opening = message.method === 'initialize' ? undefined : this.#opening;
    await new Promise<void>((taken) => {
      const signal = this.#pending.add(message, taken);
      void this.#carryAfter(opening, message, signal);
    });
  }

  async #carryAfter(opening: Promise<void> | undefined, message: Message, signal: AbortSignal): Promise<void> {
    await opening;
    const problem = await this.#carry(message, signal);
    if (problem !== undefined && this.#pending.take(message)) {
      await this.#respondWithout(message, problem);
    }
  }

  /** Sends a notification or a response once, to a window that is there. */
  async #notify(message: Message): Promise<void> {
    if (message.method === 'notifications/cancelled') {
      await this.#cancel(message.params.requestId);
    } else {
      await this.#opening;
    }
    const found = await this.#window.find();
    if (typeof found === 'string' || this.#session.isUnknownToServer(message)) {
      return;
    }
    try {
      const headers = this.#session.headersFor(message);
      await this.#passOn(message, await this.#post(found, message, headers, this.#closing.signal));
      this.#listen(found);
    } catch {
      this.#window.forget(found);
    }
  }

  async #cancel(id: unknown): Promise<void> {
    const request = this.#pending.cancel(id);
    if (request !== undefined) {
      // An agent may wait for the response to a request that it has cancelled, though it should not.
      await this.#responder.error(request, { code: cancelled, message: 'The request was cancelled.' });
    }
  }

  /** Carries a request to a window, and its response back. @returns why there is no response, unless it has one */
  async #carry(message: Message, signal: AbortSignal): Promise<BridgeProblem | undefined> {
    let isLost = false;
    for (let attempts = 1; attempts <= maxAttempts && this.#pending.has(message); attempts += 1) {
      const found = await this.#window.find();
      if (typeof found === 'string') {
        return found;
      }
      let mayHaveArrived = false;
      try {
        if (this.#session.isUnknownToServer(message)) {
          await this.#session.beginAgain(found);
        }
        const headers = this.#session.headersFor(message);
        mayHaveArrived = true;
        const response = await this.#post(found, message, headers, signal);
        if (!isLost && this.#session.isLost(headers, response)) {
          // The server has not looked at the request.
          isLost = true;
          response.resume();
          this.#session.lose(headers);
          continue;
        }
        await this.#passOn(message, response);
        if (message.method !== 'initialize') {
          this.#listen(found);
        }
        return this.#pending.has(message) ? 'rejected' : undefined;
      } catch (error) {
        if (signal.aborted) {
          return undefined;
        }
        this.#window.forget(found);
        if (mayHaveArrived && !(error instanceof WindowGone) && !message.isRepeatable) {
          return 'windowGone';
        }
      }
    }
    return 'noWindow';
  }

  #post(
    window: WindowConnection,
    { method, body }: Pick<Message, 'method' | 'body'>,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const silenceMs = this.#parts.silenceMs(method);
    return window.send({ method: 'POST', headers, body, signal, silenceMs });
  }

  /**
   * Passes on the messages of a response, up to its end.
   * @throws Error if it ends without the response to the request, though the server has not rejected it
   */
  async #passOn(message: Message, response: IncomingMessage): Promise<void> {
    const { statusCode = 0 } = response;
    this.#session.learn(message, response);
    for await (const received of messagesOf(response)) {
      if (received.outline.kind === 'response') {
        if (isSameId(received.outline.id ?? unknownId, message.id ?? '') && this.#pending.take(message)) {
          await this.#passResponse(message, received);
        }
      } else if (statusCode < 300) {
        await this.#parts.send(received.text);
      }
    }
    if (this.#pending.has(message)) {
      if (statusCode !== 400 && statusCode !== 404) {
        throw new Error('the window ended the response');
      }
      if (message.method === 'server/discover' && this.#pending.take(message)) {
        // By this the agent learns that the server speaks an older revision.
        await this.#responder.unknownMethod(message);
      }
    }
  }

  async #passResponse(message: Message, { text }: ServerMessage): Promise<void> {
    const response = text.length > maxInspected ? undefined : parseJson(text);
    const { result, error } = isObject(response) ? response : {};
    const method = cachedMethodOf(message);
    if (isObject(error) && isOfGateway(error)) {
      const problem = { code: Number(error.code), message: String(error.message), data: error.data };
      if (isRefusal(problem)) {
        this.#window.release();
      }
      if (method !== undefined && (isRefusal(problem) || this.#parts.cache.get(method) === undefined)) {
        this.#notices.toldLess();
      }
      await this.#responder.problem(message, problem, this.#session.version);
    } else if (method !== undefined && isObject(result)) {
      if (method === 'initialize') {
        this.#session.agree(result);
      }
      this.#notices.toldAll();
      await this.#responder.ownResult(message, method, result);
    } else {
      await this.#parts.send(text);
    }
  }

  /** Responds to a request that no window carried. */
  async #respondWithout(message: Message, problem: BridgeProblem): Promise<void> {
    if (cachedMethodOf(message) !== undefined) {
      this.#notices.toldLess();
    }
    const sentence = sentenceFor(problem, this.#parts.editor);
    const error = { code: notCarried, message: sentence, data: { kind: problem } };
    await this.#responder.problem(message, error, this.#session.version);
  }

  /** Passes on the server's own messages, of which a session has a stream. */
  #listen(window: WindowConnection): void {
    if (this.#session.hasBegun) {
      void this.#serverStream.open(window, this.#session.streamHeaders(), this.#closing.signal);
    }
  }
}
