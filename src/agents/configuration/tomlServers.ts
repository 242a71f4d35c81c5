import { parse, stringify, type TomlTable } from 'smol-toml';
import { isObject } from '../../core/json.ts';
import { ConfigurationProblem } from './problem.ts';
import { lineEndOf, type Splice, splice, verified, withoutMark, withoutServer, withServer } from './text.ts';

/** The servers of a TOML configuration. @throws ConfigurationProblem `invalid`, `unreadable` */
export function tomlServers(text: string, serversKey: string): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(configurationIn(text, serversKey)[serversKey] ?? {}));
}

/**
 * Adds a server at the end of a TOML configuration, or in the place of the one of its name.
 * @throws ConfigurationProblem `unreadable`, also where the servers are an inline table, which cannot be extended
 */
export function setTomlServer(text: string, serversKey: string, name: string, entry: object): string {
  const { mark, content } = withoutMark(text);
  const expected = withServer(configurationIn(text, serversKey), serversKey, name, entry);
  const lineEnd = lineEndOf(content);
  const table = stringify({ [serversKey]: { [name]: entry } }).replaceAll('\n', lineEnd);
  const [old, ...others] = tablesOf(content, serversKey, name);
  const start = content === '' || content.endsWith('\n') ? content : content + lineEnd;
  const after =
    old === undefined
      ? start + (start === '' ? '' : lineEnd) + table
      : splice(content, [{ ...old, text: table }, ...others.map((each) => withSpaceBefore(content, each))]);
  return verified(mark + after, (each) => configurationIn(each, serversKey), expected);
}

/** Removes a server of a TOML configuration. @throws ConfigurationProblem `invalid`, `unreadable` */
export function removeTomlServer(text: string, serversKey: string, name: string): string {
  const { mark, content } = withoutMark(text);
  const before = configurationIn(text, serversKey);
  const tables = tablesOf(content, serversKey, name).map((each) => withSpaceBefore(content, each));
  const after = mark + splice(content, tables);
  const expected = withoutServer(before, serversKey, name);
  // A table of servers that exists only because of the server goes with it.
  const isImplied = isObject(expected[serversKey]) && Object.keys(expected[serversKey]).length === 0;
  const { [serversKey]: _, ...others } = expected;
  const remains = serversKey in configurationIn(after, serversKey);
  return verified(after, (each) => configurationIn(each, serversKey), isImplied && !remains ? others : expected);
}

/** Without it, large numbers are an error. */
const parseOptions = { integersAsBigInt: 'asNeeded' } as const;

function configurationIn(text: string, serversKey: string): TomlTable {
  let configuration: TomlTable;
  try {
    configuration = parse(withoutMark(text).content, parseOptions);
  } catch (error) {
    throw new ConfigurationProblem('invalid', { cause: error });
  }
  if (!isObject(configuration[serversKey] ?? {})) {
    throw new ConfigurationProblem('unreadable');
  }
  return configuration;
}

/**
 * The tables of a server, from their headers to their last lines; comments and empty lines behind them belong to what
 * follows. A line within a value can look like a header, but what is before that is no whole document.
 */
function tablesOf(content: string, serversKey: string, name: string): Splice[] {
  const tables: Splice[] = [];
  let table: Splice | undefined;
  for (const { 0: line, index } of content.matchAll(/[^\n]+\n?|\n/g)) {
    const path = pathIn(line);
    if (path !== undefined && isWhole(content.slice(0, index))) {
      table = path[0] === serversKey && path[1] === name ? { start: index, end: index, text: '' } : undefined;
      tables.push(...(table ? [table] : []));
    }
    if (table !== undefined && !/^\s*(#|$)/.test(line)) {
      table.end = index + line.length;
    }
  }
  return tables;
}

function isWhole(content: string): boolean {
  try {
    parse(content, parseOptions);
    return true;
  } catch {
    return false;
  }
}

/** The path of the table that a line begins; undefined for another line. */
function pathIn(line: string): string[] | undefined {
  if (!/^\s*\[/.test(line)) {
    return undefined;
  }
  try {
    const path: string[] = [];
    for (let value: unknown = parse(line); isTable(value); [value] = Object.values(value)) {
      path.push(...Object.keys(value));
    }
    return path;
  } catch {
    return undefined;
  }
}

/** The parts of a header are tables, those of an array of tables also arrays of one. */
function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Together with the empty line that separates the table from the one before it. */
function withSpaceBefore(content: string, table: Splice): Splice {
  const space = /(?:^|\n)(\r?\n)$/.exec(content.slice(0, table.start))?.[1] ?? '';
  return { ...table, start: table.start - space.length };
}
