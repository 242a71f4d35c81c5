import { ByteOrderMark } from './byteOrderMark.ts';
import { MessageReader, type Outline } from './messageReader.ts';

/** The data of each event in an event stream (HTML standard, section 9.2.6). */
export function eventData(body: string): string[] {
  return body
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map((event) =>
      event
        .split(/\r\n|\n|\r/)
        .filter((line) => line.startsWith(dataField))
        .map((line) => line.slice(dataField.length).replace(/^ /, ''))
        .join('\n'),
    )
    .filter((data) => data !== '');
}

const dataField = 'data:';

/** A line other than data is far shorter; the rest of a longer one is ignored. */
const maxLineLength = 65_536;

const newline = 0x0a;
const lineFeed = Uint8Array.of(newline);
const carriageReturn = 0x0d;

/**
 * Follows an event stream piece by piece, to know which messages its reader has received and where it could be resumed.
 * The data of events is not kept.
 */
export class EventStreamReader {
  #lastEventId: string | undefined;
  #retryMs: number | undefined;
  /** The current line; of data, only the name of the field. */
  #line = '';
  #isData = false;
  #afterCarriageReturn = false;
  #mark = new ByteOrderMark();
  #event = emptyEvent();

  /** The id of the last complete event that had one, for `Last-Event-ID`; an empty one means that there is none. */
  get lastEventId(): string | undefined {
    return this.#lastEventId || undefined;
  }

  /** The pause that the server wants before the stream is opened again. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /** Reads the next piece of the stream. @returns the messages of the events that end in it */
  push(bytes: Uint8Array): Outline[] {
    const received: Outline[] = [];
    let start = this.#mark.skip(bytes);
    let afterCarriageReturn = this.#afterCarriageReturn;
    for (let at = start; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === newline && afterCarriageReturn) {
        start = at + 1;
      } else if (byte === newline || byte === carriageReturn) {
        this.#readPart(bytes, start, at);
        append(received, this.#endLine());
        start = at + 1;
      }
      afterCarriageReturn = byte === carriageReturn;
    }
    this.#afterCarriageReturn = afterCarriageReturn;
    this.#readPart(bytes, start, bytes.length);
    return received;
  }

  /** Whether the stream so far ends within a line. */
  get isInLine(): boolean {
    return this.#isData || this.#line !== '';
  }

  /** Forgets the event that is not complete, as its stream broke off. Another stream follows. */
  dropEvent(): void {
    this.#line = '';
    this.#isData = false;
    this.#afterCarriageReturn = false;
    this.#mark = new ByteOrderMark();
    this.#event = emptyEvent();
  }

  #readPart(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    for (; at < end && !this.#isData && this.#line.length < maxLineLength; at += 1) {
      // A character for each byte, as the id is sent back in a header. `TextDecoder` has no encoding that does so.
      this.#line += String.fromCharCode(bytes[at] ?? 0);
      this.#isData = this.#line === dataField;
    }
    if (this.#isData) {
      // White space around the message does not matter, so the optional space after the colon is not removed.
      append(this.#event.outlines, this.#event.messages.push(bytes, at, end));
    }
  }

  /** @returns the messages of the event, if the line ends one */
  #endLine(): readonly Outline[] {
    const line = this.#line;
    if (this.#isData) {
      // Lines of data are joined by line feeds.
      append(this.#event.outlines, this.#event.messages.push(lineFeed));
    }
    this.#line = '';
    this.#isData = false;
    if (line === '') {
      return this.#endEvent();
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === 'id' && !value.includes('\0')) {
      this.#event.id = value;
    } else if (name === 'event') {
      this.#event.type = value;
    } else if (name === 'retry' && /^\d{1,9}$/.test(value)) {
      this.#retryMs = Number(value);
    }
    return [];
  }

  #endEvent(): readonly Outline[] {
    const { id, type, messages, outlines } = this.#event;
    this.#event = emptyEvent();
    this.#lastEventId = id ?? this.#lastEventId;
    // Clients ignore events of other types, and data that is no JSON.
    return (type === '' || type === 'message') && messages.isComplete ? outlines : [];
  }
}

interface StreamEvent {
  id?: string;
  type: string;
  messages: MessageReader;
  outlines: Outline[];
}

/** Adds to a list. There may be more outlines than a call can have arguments. */
function append(list: Outline[], more: readonly Outline[]): void {
  for (const outline of more) {
    list.push(outline);
  }
}

function emptyEvent(): StreamEvent {
  return { type: '', messages: new MessageReader(), outlines: [] };
}
