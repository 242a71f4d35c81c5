import { type AccountNumbers, volatileAccountNumbers } from './accountNumbers.ts';
import { toHex } from './encoding.ts';
import { Secret } from './secret.ts';

/** Where log lines go: a `vscode.LogOutputChannel` in the editor, an array in a test. */
export interface LogSink {
  error(line: string): void;
  warn(line: string): void;
  info(line: string): void;
  debug(line: string): void;
}

/** An account in a log line, such as its grant. Nothing of it is logged but the account's number. */
export interface LoggedAccount {
  readonly id: string;
}

/**
 * A value that a log line may contain besides its fixed sentence. Text from a server or a user must not be logged;
 * log its kind instead. A URL is shown as host and path only, an account as its number.
 */
export type LogValue = string | number | boolean | URL | LoggedAccount | undefined;

const maxValueLength = 200;

/** How much of a value is read at all, so that a long one from outside costs no more than a short one. */
const maxReadLength = 1000;

/**
 * The redacting log. A line is a fixed sentence plus named values. Values are truncated and stripped of line breaks,
 * and anything that looks like a token, a code or a URL's query is removed.
 */
export class Log {
  /** The numbers of the accounts in the lines. */
  readonly accountNumbers: AccountNumbers;
  /** The operation that the lines belong to, such as `sign-in 0abc`; empty if they belong to none. */
  readonly operationName: string;
  readonly #sink: LogSink;

  constructor(sink: LogSink, accountNumbers = volatileAccountNumbers(), operationName = '') {
    this.#sink = sink;
    this.accountNumbers = accountNumbers;
    this.operationName = operationName;
  }

  /**
   * A log for one operation (`sign-in` or `renewal`). Its lines carry a short id, so that the operation can be followed
   * through the file and distinguished from those of other windows.
   */
  operation(name: string, randomness: { bytes(length: number): Uint8Array }): Log {
    return new Log(this.#sink, this.accountNumbers, `${name} ${toHex(randomness.bytes(2))}`);
  }

  error(sentence: string, values?: Record<string, LogValue>): void {
    this.#sink.error(this.#line(sentence, values));
  }

  warn(sentence: string, values?: Record<string, LogValue>): void {
    this.#sink.warn(this.#line(sentence, values));
  }

  info(sentence: string, values?: Record<string, LogValue>): void {
    this.#sink.info(this.#line(sentence, values));
  }

  debug(sentence: string, values?: Record<string, LogValue>): void {
    this.#sink.debug(this.#line(sentence, values));
  }

  #line(sentence: string, values: Record<string, LogValue> = {}): string {
    const pairs = Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${isAccount(value) ? this.accountNumbers.of(value.id) : redact(value)}`);
    const operation = this.operationName === '' ? [] : [`[${this.operationName}]`];
    return [...operation, sentence, ...pairs].join(' ');
  }
}

function isAccount(value: LogValue): value is LoggedAccount {
  return typeof value === 'object' && 'id' in value;
}

/** Makes a value safe to log. Exported for the tests that try to get a secret past it. */
export function redact(value: unknown): string {
  if (value instanceof Secret) {
    return '[secret]';
  }
  if (value instanceof URL) {
    return hostAndPath(value).slice(0, maxValueLength);
  }
  return (
    beginning(String(value))
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
      .replace(/[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
      .replace(/\?[^\s]*/g, '?…')
      // Long runs without a space are tokens, codes, verifiers and hashes. A server's request id, a UUID, is kept.
      .replace(/[A-Za-z0-9_~+/=:-]{40,}/g, '[redacted]')
      .slice(0, maxValueLength)
  );
}

/** Cuts a long text at a space, as the first half of a token may no longer look like one. */
function beginning(text: string): string {
  return text.length <= maxReadLength ? text : `${text.slice(0, Math.max(0, text.lastIndexOf(' ', maxReadLength)))}…`;
}

/** Replaces each part of the host or path that may be an id or a key with `…`. */
function hostAndPath({ host, pathname }: URL): string {
  const shown = (part: string): string => (part.length >= 40 || (part.length >= 16 && /\d/.test(part)) ? '…' : part);
  return host.split('.').map(shown).join('.') + pathname.split('/').map(shown).join('/');
}
