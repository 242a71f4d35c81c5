import { Secret } from './secret.ts';

/** Where log lines end: in the editor a `vscode.LogOutputChannel`, in a test an array. */
export interface LogSink {
  error(line: string): void;
  warn(line: string): void;
  info(line: string): void;
  debug(line: string): void;
}

/** What may stand in a log line beside its fixed words. Text that came from a server or a person is not among it: log its kind instead. */
export type LogValue = string | number | boolean | undefined;

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

  /** A log whose lines carry `name`, to follow one sign-in or renewal through the file. */
  child(name: string): Log {
    return new Log(this.#sink, `${this.#prefix}[${name}] `);
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
