import type { TransportRequest } from '../http/transport.ts';

/**
 * The methods of MCP whose requests change nothing at the server. Notion's tools, too, may only read, but only Notion
 * knows which of them do.
 */
const safeMethods: ReadonlySet<string> = new Set([
  'initialize',
  'server/discover',
  'ping',
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);

/**
 * Whether a request can be sent a second time although it may have arrived. A batch can only if each message in it can,
 * and a body that we cannot read cannot.
 */
export function isRepeatable(method: TransportRequest['method'], messages: ReadonlySet<string>): boolean {
  const areSafe = [...messages].every((each) => safeMethods.has(each) || each.startsWith('notifications/'));
  return method !== 'POST' || (messages.size > 0 && areSafe);
}
