import type { CatalogueRow, Servers } from './contract.ts';
import { jsonServers, removeJsonServer, setJsonServer } from './jsonServers.ts';
import { removeTomlServer, setTomlServer, tomlServers } from './tomlServers.ts';

type Format = Pick<CatalogueRow, 'format' | 'serversKey'>;

/** The servers in a configuration. @throws ConfigurationProblem `invalid`, `unreadable` */
export function serversIn(text: string, { format, serversKey }: Format): Servers {
  return format === 'json' ? jsonServers(text, serversKey) : tomlServers(text, serversKey);
}

/**
 * Adds a server, or replaces the one of its name. Everything else keeps its bytes.
 * @throws ConfigurationProblem `invalid`, `unreadable`
 */
export function setServer(text: string, { format, serversKey }: Format, name: string, entry: object): string {
  const set = format === 'json' ? setJsonServer : setTomlServer;
  return set(text, serversKey, name, entry);
}

/** Removes a server. Everything else keeps its bytes. @throws ConfigurationProblem `invalid`, `unreadable` */
export function removeServer(text: string, { format, serversKey }: Format, name: string): string {
  const remove = format === 'json' ? removeJsonServer : removeTomlServer;
  return remove(text, serversKey, name);
}

/** The program and the arguments of a server that an agent starts; empty for another one. */
export function commandOf(entry: unknown): string[] {
  if (typeof entry !== 'object' || entry === null) {
    return [];
  }
  const { command, args } = entry as { command?: unknown; args?: unknown };
  const words = [...(Array.isArray(command) ? command : [command]), ...(Array.isArray(args) ? args : [])];
  return words.every((word) => typeof word === 'string') ? words : [];
}

/** Whether a server is a bridge to an account, of this editor or another one. */
export function isBridge(entry: unknown): boolean {
  const [program = '', ...words] = commandOf(entry);
  return [program, words[0] ?? ''].some((word) => /(^|[\\/])(notion-mcp-bridge|bridge\.cjs)$/.test(word));
}

/** Whether a server is Notion's own: with a sign-in of the agent's, or through a program such as `mcp-remote`. */
export function isNotionsServer(entry: unknown): boolean {
  const { url, httpUrl, serverUrl } = (entry ?? {}) as Record<string, unknown>;
  return [url, httpUrl, serverUrl, ...commandOf(entry)].some(
    (word) => typeof word === 'string' && URL.canParse(word) && new URL(word).hostname === 'mcp.notion.com',
  );
}
