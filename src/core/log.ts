import { toHex } from './encoding.ts';
import { Secret } from './secret.ts';

/** Where log lines end: in the editor a `vscode.LogOutputChannel`, in a test an array. */
export interface LogSink {
  error(line: string): void;
  warn(line: string): void;
  info(line: string): void;
  debug(line: string): void;
}

/**
 * What may stand in a log line beside its fixed words. Text that came from a server or a person is not among it: log
 * its kind instead. Of a URL, host and path are shown.
 */
export type LogValue = string | number | boolean | URL | undefined;

const longestValue = 200;

/**
 * The redacting log. A line is a fixed sentence plus named values; values are cut, stripped of line breaks, and
 * anything that looks like a token, a code or a URL's query never gets through.
 */
export class Log {
  readonly #sink: LogSink;
  readonly #prefix: string;

  constructor(sink: LogSink, prefix = '') {
    this.#sink = sink;
    this.#prefix = prefix;
  }

  /**
   * A log for one operation, `sign-in` or `renewal`, whose lines carry a short id of it: to follow it through the file
   * and to tell it from those of other windows.
   */
  operation(name: string, randomness: { bytes(length: number): Uint8Array }): Log {
    const id = toHex(randomness.bytes(2));
    return new Log(this.#sink, `${this.#prefix}[${name} ${id}] `);
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
      .map(([name, value]) => `${name}=${redact(value)}`);
    return this.#prefix + [sentence, ...pairs].join(' ');
  }
}

/** Makes a value fit to be logged. Exported for the tests that try to get a secret through it. */
export function redact(value: unknown): string {
  if (value instanceof Secret) {
    return '[secret]';
  }
  if (value instanceof URL) {
    return hostAndPath(value).slice(0, longestValue);
  }
  return (
    String(value)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
      .replace(/[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
      .replace(/\?[^\s]*/g, '?…')
      // Long runs without a space are tokens, codes, verifiers and hashes; ids (uuid, 36) are let through.
      .replace(/[A-Za-z0-9_~+/=:-]{40,}/g, '[redacted]')
      .slice(0, longestValue)
  );
}

/** A part of a path or host that may be somebody's id or key is left out. */
function hostAndPath({ host, pathname }: URL): string {
  const shown = (part: string): string => (part.length >= 40 || (part.length >= 16 && /\d/.test(part)) ? '…' : part);
  return host.split('.').map(shown).join('.') + pathname.split('/').map(shown).join('/');
}
