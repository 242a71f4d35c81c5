import { isDeepStrictEqual } from 'node:util';
import { ConfigurationProblem } from './problem.ts';

/** A replacement of a part of a text. */
export interface Splice {
  start: number;
  end: number;
  text: string;
}

/** Replaces parts of a text that do not overlap, in order. */
export function splice(content: string, splices: readonly Splice[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text } of splices) {
    result += content.slice(at, start) + text;
    at = end;
  }
  return result + content.slice(at);
}

/** The line ends of a text, as its first one is. */
export function lineEndOf(content: string): '\n' | '\r\n' {
  return /^[^\n]*\r\n/.test(content) ? '\r\n' : '\n';
}

/** A text without the byte order mark that it may begin with. */
export function withoutMark(text: string): { mark: string; content: string } {
  return text.startsWith('\uFEFF') ? { mark: '\uFEFF', content: text.slice(1) } : { mark: '', content: text };
}

/**
 * Lets an edited text pass only if it says what it should: in whatever unusual form a configuration is written, an edit
 * changes nothing but the one server.
 * @throws ConfigurationProblem `unreadable`
 */
export function verified(text: string, parse: (text: string) => unknown, expected: unknown): string {
  let configuration: unknown;
  try {
    configuration = parse(text);
  } catch (error) {
    throw new ConfigurationProblem('unreadable', { cause: error });
  }
  if (!isDeepStrictEqual(plain(configuration), plain(expected))) {
    throw new ConfigurationProblem('unreadable');
  }
  return text;
}

/** Parsers make objects with and without a prototype. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  const isTable = typeof value === 'object' && value !== null && !(value instanceof Date);
  return isTable ? new Map(Object.entries(value).map(([key, each]) => [key, plain(each)])) : value;
}

type Configuration = Readonly<Record<string, unknown>>;

/** What a configuration should say once a server was set. */
export function withServer(
  configuration: Configuration,
  serversKey: string,
  name: string,
  entry: object,
): Configuration {
  return { ...configuration, [serversKey]: { ...(configuration[serversKey] ?? {}), [name]: entry } };
}

/** What a configuration should say once a server was removed. */
export function withoutServer(configuration: Configuration, serversKey: string, name: string): Configuration {
  const servers = configuration[serversKey];
  if (servers === undefined || !Object.hasOwn(servers as object, name)) {
    return configuration;
  }
  const { [name]: _, ...others } = servers as Record<string, unknown>;
  return { ...configuration, [serversKey]: others };
}
