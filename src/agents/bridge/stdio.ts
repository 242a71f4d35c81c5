import type { Readable, Writable } from 'node:stream';
import { MessageReader, type Outline } from '../../mcp/messageReader.ts';

/** A message of 10 MiB must pass; what is longer than this is not kept in memory. */
const maxLineBytes = 32 * 1024 * 1024;

const newline = 0x0a;
const carriageReturn = 0x0d;

/** A line of the agent. */
export interface Line {
  /** Without its end; undefined if it is too long. */
  bytes: Buffer | undefined;
  /** What its messages say about themselves. */
  outlines: readonly Outline[];
}

/** The lines of MCP's stdio transport. Empty ones are left out, and what follows the last end of a line. */
export async function* linesOf(input: Readable, maxBytes = maxLineBytes): AsyncGenerator<Line> {
  let line = new UnfinishedLine(maxBytes);
  for await (const chunk of input as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      line.add(chunk.subarray(start, end));
      if (!line.isEmpty) {
        yield line.finish();
      }
      line = new UnfinishedLine(maxBytes);
      start = end + 1;
    }
    line.add(chunk.subarray(start));
  }
}

class UnfinishedLine {
  readonly #maxBytes: number;
  readonly #messages = new MessageReader();
  readonly #outlines: Outline[] = [];
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(piece: Buffer): void {
    this.#length += piece.length;
    this.#pieces.push(piece);
    if (this.#length > this.#maxBytes) {
      this.#pieces = [];
    }
    // There may be more outlines than a call can have arguments.
    for (const outline of this.#messages.push(piece)) {
      this.#outlines.push(outline);
    }
  }

  get isEmpty(): boolean {
    return this.#length === 0 || (this.#length === 1 && this.#pieces.some(([byte]) => byte === carriageReturn));
  }

  finish(): Line {
    const [only = Buffer.alloc(0)] = this.#pieces;
    const bytes = this.#pieces.length > 1 ? Buffer.concat(this.#pieces) : only;
    return { bytes: this.#length > this.#maxBytes ? undefined : bytes, outlines: this.#outlines };
  }
}

/** Writes one message on a line of its own. Resolves once the reader can take another one, or is gone. */
export function writeLine(output: Writable, message: string): Promise<void> {
  return new Promise((resolve) => {
    // Line breaks are white space in JSON.
    output.write(`${message.replace(/[\r\n]+/g, ' ')}\n`, () => resolve());
  });
}
