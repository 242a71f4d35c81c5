import type { Secret } from '../core/secret.ts';
import type { Http } from '../http/http.ts';
import { type CallOptions, mcpRequest } from './mcpClient.ts';

/** What a tool answered. */
export interface ToolResult {
  /** The text blocks of the content, joined. */
  text: string;
  structured?: Record<string, unknown>;
  /** The tool ran and failed; `text` says why. */
  isError: boolean;
}

/** Calls one tool. @throws Failure as `mcpRequest` does */
export async function callTool(
  http: Http,
  serverUrl: URL,
  accessToken: Secret,
  name: string,
  args: Record<string, unknown>,
  options: CallOptions = {},
): Promise<ToolResult> {
  const params = { name, arguments: args };
  const result = await mcpRequest(http, serverUrl, accessToken, 'tools/call', params, options);
  const blocks = Array.isArray(result.content) ? result.content.filter(isObject) : [];
  const text = blocks
    .map((block) => (block.type === 'text' && typeof block.text === 'string' ? block.text : ''))
    .join('');
  return {
    text,
    isError: result.isError === true,
    ...(isObject(result.structuredContent) && { structured: result.structuredContent }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
