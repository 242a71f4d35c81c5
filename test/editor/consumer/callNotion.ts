import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { authentication, extensions } from 'vscode';
import type { NotionMcpAuth } from './notionMcpAuth.d.ts';

/** Calls a tool of Notion's MCP server; requests the session again if the server rejects its token. */
export async function callNotion(url: string, name: string, args: Record<string, unknown>): Promise<unknown> {
  const api = await extensions.getExtension<NotionMcpAuth>('seedling.notion-mcp-auth')?.activate();
  for (let attempt = 1; ; attempt += 1) {
    const { accessToken } = await authentication.getSession('notion-mcp', ['default'], { createIfNone: true });
    const client = new Client({ name: 'my-extension', version: '1.0.0' });
    try {
      const requestInit = { headers: { Authorization: `Bearer ${accessToken}` } };
      await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
      return await client.callTool({ name, arguments: args });
    } catch (error) {
      if (attempt === 3 || !(error instanceof StreamableHTTPError && error.code === 401)) {
        throw error;
      }
      await api?.renewRejected(accessToken);
    } finally {
      await client.close();
    }
  }
}
