import { parseJson } from '../core/json.ts';
import { ByteOrderMark } from './byteOrderMark.ts';

/** What a JSON-RPC message says about itself. */
export interface Outline {
  /** A message that is none of JSON-RPC's three is `invalid`. */
  kind: 'request' | 'notification' | 'response' | 'invalid';
  /** The id as JSON text, exactly as it was written; absent if there is none or an invalid one. */
  id?: string;
  method?: string;
}

/** Names, ids and methods are far shorter. A longer one counts as invalid. */
const maxKeptBytes = 65_536;

/** Deeper nesting is no MCP message, and would fill the memory. */
const maxDepth = 10_000;

/** An open container. Only the members of a message are of interest. */
type Container = 'array' | 'object' | 'batch' | 'message';

/** What may come next, apart from white space. */
type Expected = 'value' | 'valueOrEnd' | 'name' | 'nameOrEnd' | 'colon' | 'commaOrEnd' | 'nothing';

/**
 * Reads the JSON-RPC messages in a body piece by piece, without decoding or keeping it: `JSON.parse` would round large
 * ids, and needs many times the memory of a body. The reader is only as strict as it must be to find a message's
 * members, so a scalar deep in the parameters may be malformed.
 */
export class MessageReader {
  #isBroken = false;
  #isBatch = false;
  #hasInvalid = false;
  readonly #mark = new ByteOrderMark();
  readonly #open: Container[] = [];
  #expected: Expected = 'value';
  /** The string or scalar that the next byte continues. */
  #inside: 'name' | 'string' | 'scalar' | undefined;
  #isEscaped = false;
  /** That string or scalar, a character for each byte, if it is of interest and not too long. */
  #kept: string | undefined;
  #name = '';
  /** The members of the current message as JSON text; empty for a container or a text that is too long. */
  #members = new Map<string, string>();
  #found: Outline[] | undefined;

  /** Whether the body is an array, so that the response to it must be one. */
  get isBatch(): boolean {
    return this.#isBatch;
  }

  /** Whether what was read so far cannot be the beginning of a message or batch. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Whether what was read so far is one complete message or batch. */
  get isComplete(): boolean {
    return !this.#isBroken && this.#expected === 'nothing';
  }

  /**
   * Reads the next piece of the body.
   * @returns the messages that end in it; of a batch's invalid ones only the first, as no response could tell them apart
   */
  push(bytes: Uint8Array, start = 0, end = bytes.length): readonly Outline[] {
    for (let at = this.#mark.skip(bytes, start, end); at < end && !this.#isBroken; ) {
      at = this.#inside === undefined ? this.#readToken(bytes, at) : this.#readText(bytes, at, end);
    }
    const found = this.#found;
    this.#found = undefined;
    return found ?? none;
  }

  #readToken(bytes: Uint8Array, at: number): number {
    const byte = bytes[at] ?? 0;
    const isValue = this.#expected === 'value' || this.#expected === 'valueOrEnd';
    const isName = this.#expected === 'name' || this.#expected === 'nameOrEnd';
    if (isSpace(byte)) {
      return at + 1;
    }
    if (byte === quote && (isName || isValue)) {
      this.#beginText(isName ? 'name' : 'string', bytes, at);
    } else if (isValue && isScalar(byte)) {
      this.#beginText('scalar', bytes, at);
    } else if (isValue && (byte === openBrace || byte === openBracket)) {
      this.#begin(byte === openBrace);
    } else if (this.#mayEndWith(byte)) {
      this.#end();
    } else if (byte === comma && this.#expected === 'commaOrEnd') {
      this.#expected = this.#isInArray() ? 'value' : 'name';
    } else if (byte === colon && this.#expected === 'colon') {
      this.#expected = 'value';
    } else {
      this.#isBroken = true;
    }
    return at + 1;
  }

  #beginText(inside: 'name' | 'string' | 'scalar', bytes: Uint8Array, at: number): void {
    const isMember = this.#open.at(-1) === 'message';
    this.#inside = inside;
    this.#kept = isMember && (inside === 'name' || keptMembers.has(this.#name)) ? '' : undefined;
    this.#keep(bytes, at, at + 1);
    // A body that is only a string or a number is no message.
    this.#isBroken = this.#open.length === 0;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end && this.#kept !== undefined; at += 1) {
      this.#kept = this.#kept.length < maxKeptBytes ? this.#kept + String.fromCharCode(bytes[at] ?? 0) : undefined;
    }
  }

  /** Reads a string or scalar to its end or the end of the piece. */
  #readText(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#inside === 'scalar') {
      while (at < end && isScalar(bytes[at] ?? 0)) {
        at += 1;
      }
      this.#keep(bytes, start, at);
      if (at < end) {
        this.#endText();
      }
      return at;
    }
    let isEscaped = this.#isEscaped;
    while (at < end && (isEscaped || bytes[at] !== quote)) {
      isEscaped = !isEscaped && bytes[at] === backslash;
      at += 1;
    }
    this.#isEscaped = isEscaped;
    this.#keep(bytes, start, Math.min(at + 1, end));
    if (at < end) {
      this.#endText();
    }
    return at + 1;
  }

  #endText(): void {
    const text = this.#kept === undefined ? '' : textOf(this.#kept);
    if (this.#inside === 'name') {
      if (this.#open.at(-1) === 'message') {
        this.#name = stringIn(text) ?? '';
      }
      this.#expected = 'colon';
    } else {
      this.#endValue(text);
    }
    this.#inside = undefined;
    this.#kept = undefined;
  }

  #begin(isObject: boolean): void {
    const parent = this.#open.at(-1);
    this.#isBroken = this.#open.length === maxDepth;
    this.#isBatch ||= parent === undefined && !isObject;
    if (isObject) {
      this.#open.push(parent === undefined || parent === 'batch' ? 'message' : 'object');
    } else {
      this.#open.push(parent === undefined ? 'batch' : 'array');
    }
    this.#expected = isObject ? 'nameOrEnd' : 'valueOrEnd';
  }

  #mayEndWith(byte: number): boolean {
    if (this.#expected === 'commaOrEnd') {
      return byte === (this.#isInArray() ? closeBracket : closeBrace);
    }
    return byte === closeBracket
      ? this.#expected === 'valueOrEnd'
      : byte === closeBrace && this.#expected === 'nameOrEnd';
  }

  #isInArray(): boolean {
    const container = this.#open.at(-1);
    return container === 'array' || container === 'batch';
  }

  #end(): void {
    if (this.#open.pop() !== 'message') {
      this.#endValue('');
      return;
    }
    this.#report(outlineOf(this.#members));
    this.#members.clear();
    this.#expected = this.#open.length === 0 ? 'nothing' : 'commaOrEnd';
  }

  /** Notes the end of a value that is no message; `text` is empty unless it is of interest. */
  #endValue(text: string): void {
    const container = this.#open.at(-1);
    if (container === 'message') {
      this.#members.set(this.#name, text);
    } else if (container === 'batch') {
      this.#report({ kind: 'invalid' });
    }
    this.#expected = container === undefined ? 'nothing' : 'commaOrEnd';
  }

  #report(outline: Outline): void {
    if (outline.kind !== 'invalid' || !this.#hasInvalid) {
      this.#found ??= [];
      this.#found.push(outline);
    }
    this.#hasInvalid ||= outline.kind === 'invalid';
  }
}

const keptMembers: ReadonlySet<string> = new Set(['id', 'method']);

function outlineOf(members: ReadonlyMap<string, string>): Outline {
  const id = idIn(members.get('id'));
  const method = stringIn(members.get('method') ?? '');
  if (method !== undefined) {
    if (!members.has('id')) {
      return { kind: 'notification', method };
    }
    return id === undefined ? { kind: 'invalid', method } : { kind: 'request', method, id };
  }
  const isResponse = (members.has('result') || members.has('error')) && id !== undefined;
  return isResponse ? { kind: 'response', id } : { kind: 'invalid' };
}

/** A string without escapes, which need not be parsed. */
const plainString = /^"[^"\\\p{Cc}]*"$/u;

/** The id, if it is one of those that JSON-RPC allows: a string, a number or `null`. */
function idIn(text = ''): string | undefined {
  if (/^[1-9]\d*$/.test(text)) {
    return text;
  }
  const value = parseJson(text);
  return typeof value === 'string' || typeof value === 'number' || value === null ? text : undefined;
}

function stringIn(text: string): string | undefined {
  if (plainString.test(text)) {
    return text.slice(1, -1);
  }
  const value = parseJson(text);
  return typeof value === 'string' ? value : undefined;
}

/** The text whose UTF-8 bytes are these characters. */
function textOf(bytes: string): string {
  return isAscii.test(bytes)
    ? bytes
    : new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

const isAscii = /^\p{ASCII}*$/u;

const none: readonly Outline[] = [];

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether a number, `true`, `false` or `null` may contain the byte. */
function isScalar(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    byte === 0x45
  );
}
