import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Session } from '../editor/consumer/protocol.ts';

/** Reads the user and workspace of a session from the MCP server, with the official client. @throws Error without one */
export async function fetchSelf(
  { mcpUrl }: { mcpUrl: string },
  session: Session | undefined,
): Promise<{ user: { name: string }; workspace: { name: string } }> {
  assert.ok(session);
  const client = new Client({ name: 'session-consumer', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), {
    requestInit: { headers: { authorization: `Bearer ${session.accessToken}` } },
  });
  try {
    await client.connect(transport as Parameters<Client['connect']>[0]);
    const result = await client.callTool({ name: 'notion-fetch', arguments: { id: 'self' } });
    const [content] = result.content as { type: string; text: string }[];
    return JSON.parse(content?.text ?? '').self;
  } finally {
    await client.close();
  }
}
