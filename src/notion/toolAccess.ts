import { jsonObject } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';
import type { Http } from '../http/client.ts';
import { type CallOptions, callTool } from './mcpClient.ts';
import { isSerializationFault } from './toolErrors.ts';

/** The account's access to a tool, as Notion reports it. */
export type ToolAccess = 'available' | 'available_with_limit' | 'upgrade_required' | 'not_enabled' | 'unknown';

const known: readonly string[] = ['available', 'available_with_limit', 'upgrade_required', 'not_enabled'];

/**
 * Reads which tools the account may use: `current_tool_access` in the result of `notion-fetch self`.
 * @returns the access by tool name, and whether the call failed because of a serialization bug in Notion's server
 * @throws Failure as `mcpRequest` does
 */
export async function readToolAccess(
  http: Http,
  serverUrl: URL,
  accessToken: Secret,
  options: CallOptions = {},
): Promise<{ access: Map<string, ToolAccess>; isServerFault: boolean }> {
  const result = await callTool(http, serverUrl, accessToken, 'notion-fetch', { id: 'self' }, options);
  const content = result.structured ?? jsonObject(result.text);
  const all = content?.current_tool_access;
  const entries = typeof all === 'object' && all !== null ? Object.entries(all) : [];
  return {
    access: new Map(entries.map(([tool, value]) => [tool, accessIn(value)])),
    isServerFault: result.isError && isSerializationFault(result.text),
  };
}

function accessIn(value: unknown): ToolAccess {
  const status = typeof value === 'object' && value !== null && 'status' in value ? value.status : undefined;
  return typeof status === 'string' && known.includes(status) ? (status as ToolAccess) : 'unknown';
}
