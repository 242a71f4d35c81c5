import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** Reads the user and workspace of a token from the MCP server, with the official client. */
export async function fetchSelf(
  mcpUrl: string,
  accessToken: string,
): Promise<{ user: { name: string }; workspace: { name: string } }> {
  const client = new Client({ name: 'session-consumer', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), {
    requestInit: { headers: { authorization: `Bearer ${accessToken}` } },
  });
  try {
    await client.connect(transport as Parameters<Client['connect']>[0]);
    const result = await client.callTool({ name: 'notion-fetch', arguments: { id: 'self' } });
    const [content] = result.content as { type: string; text: string }[];
    return JSON.parse(content?.text ?? '');
  } finally {
    await client.close();
  }
}
