import type { IncomingMessage } from 'node:http';
import { isObject, parseJson } from '../../core/json.ts';
import { MessageReader, type Outline } from '../../mcp/messageReader.ts';

/** A message of the MCP server. */
export interface ServerMessage {
  text: string;
  outline: Outline;
}

/**
 * The JSON-RPC messages in a window's response, as they arrive. What is none is left out.
 * @throws Node's error if the response breaks off
 */
export async function* messagesOf(response: IncomingMessage): AsyncGenerator<ServerMessage> {
  const isStream = /^text\/event-stream/i.test(response.headers['content-type'] ?? '');
  const decoder = new TextDecoder();
  const events = new EventReader();
  let text = '';
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    const piece = decoder.decode(chunk, { stream: true });
    if (!isStream) {
      text += piece;
      continue;
    }
    for (const data of events.push(piece)) {
      yield* messagesIn(data);
    }
  }
  yield* messagesIn(text);
}

function* messagesIn(body: string): Iterable<ServerMessage> {
  // `MessageReader` skips a byte order mark, while an agent's parser fails at it.
  const text = body.replace(/^\uFEFF+/, '');
  const reader = new MessageReader();
  const [outline] = reader.push(new TextEncoder().encode(text));
  if (reader.isBatch) {
    // An agent reads one message a line.
    const messages = parseJson(text);
    for (const message of Array.isArray(messages) ? messages.filter(isObject) : []) {
      yield* messagesIn(JSON.stringify(message));
    }
  } else if (reader.isComplete && outline !== undefined) {
    yield { text, outline };
  }
}

/** Reads the data of events (HTML standard, section 9.2.6) of the type that clients take for messages. */
class EventReader {
  #line = '';
  #endsWithReturn = false;
  #data: string[] = [];
  #type = '';

  /** Reads the next piece of the stream. @returns the data of the events that end in it */
  push(piece: string): string[] {
    const found: string[] = [];
    const text = this.#endsWithReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    this.#endsWithReturn = piece === '' ? this.#endsWithReturn : piece.endsWith('\r');
    const [rest = '', ...others] = text.split(/\r\n|\n|\r/);
    this.#line += rest;
    for (const next of others) {
      if (this.#line === '') {
        found.push(...this.#endEvent());
      } else {
        this.#readField(this.#line);
      }
      this.#line = next;
    }
    return found;
  }

  #readField(line: string): void {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon === -1 ? undefined : colon);
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (name === 'data') {
      this.#data.push(value);
    } else if (name === 'event') {
      this.#type = value;
    }
  }

  #endEvent(): string[] {
    const isMessage = this.#type === '' || this.#type === 'message';
    const data = this.#data.join('\n');
    this.#data = [];
    this.#type = '';
    return isMessage ? [data] : [];
  }
}
