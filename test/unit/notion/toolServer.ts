import type { TestContext } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { type BearerHttp, withBearer } from '../../../src/http/bearer.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import { startServer } from '../oauth/loopbackServer.ts';

export const accessToken = new Secret('user:grant:access');

/** An MCP server with a table of JSON-RPC responses by tool; other tools do not exist. */
export async function startToolServer(t: TestContext, responses: Record<string, Record<string, unknown>>) {
  const server = await startServer(t);
  const calls: [tool: string, args: unknown][] = [];
  server.routes['POST /mcp'] = ({ body }) => {
    const { id, params } = JSON.parse(body);
    calls.push([params.name, params.arguments]);
    const response = responses[params.name] ?? { error: { code: -32602, message: `Tool ${params.name} not found` } };
    return { body: { jsonrpc: '2.0', id, ...response } };
  };
  const read = <T>(reader: (http: BearerHttp, url: URL) => Promise<T>) =>
    reader(withBearer(fetchHttp, accessToken), new URL(`${server.origin}/mcp`));
  return { ...server, calls, read };
}

/** A tool's result with one text block, which contains `value` as JSON unless it is a text. */
export function toolResult(value: unknown, more: Record<string, unknown> = {}) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { result: { content: [{ type: 'text', text }], ...more } };
}

/** A tool's error as Notion documents it, with the same JSON as text (developers.notion.com/guides/mcp/rate-limits). */
export function toolError(error: Record<string, unknown>) {
  return toolResult({ error }, { isError: true, structuredContent: { error } });
}
