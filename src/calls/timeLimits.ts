import type { TransportRequest } from '../http/transport.ts';

/** Whatever a server does for these takes seconds. The editor waits for them while it starts an MCP server. */
const quickMethods: ReadonlySet<string> = new Set([
  'initialize',
  'server/discover',
  'ping',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);

/** These open a stream for the server's own messages, which may be silent for any length of time. */
const streamMethods: ReadonlySet<string> = new Set(['subscriptions/listen']);

const quickLimitMs = 60_000;
const silenceLimitMs = 30 * 60_000;

/** How long the MCP server has for a response: in all, or without sending anything. */
export interface TimeLimit {
  limitMs: number;
  of: 'response' | 'silence';
}

/** The limit for a request with messages of these methods; undefined if there is none. */
export function timeLimitOf(method: TransportRequest['method'], messages: ReadonlySet<string>): TimeLimit | undefined {
  const all = [...messages];
  if (method === 'GET' || all.some((each) => streamMethods.has(each))) {
    return undefined;
  }
  const isQuick = all.every((each) => quickMethods.has(each) || each.startsWith('notifications/'));
  return method === 'DELETE' || (isQuick && all.length > 0)
    ? { limitMs: quickLimitMs, of: 'response' }
    : { limitMs: silenceLimitMs, of: 'silence' };
}
