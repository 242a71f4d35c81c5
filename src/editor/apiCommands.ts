import { commands, type Disposable } from 'vscode';
import type { NotionClient } from '../client/client.ts';

/**
 * Registers the commands by which `notionClient.ts` in other extensions reaches us, also from other extension hosts,
 * which exports do not cross. They are not in the palette.
 */
export function registerApiCommands(client: () => Promise<NotionClient>): Disposable[] {
  const respond = {
    callTool: async (request: unknown) => (await client()).callTool(request),
    listTools: async (request: unknown) => (await client()).listTools(request),
    pages: async (request: unknown) => (await client()).pages(request),
    cancel: async (callId: unknown) => (await client()).cancel(callId),
  };
  return Object.entries(respond).map(([name, run]) => commands.registerCommand(`notionMcp.api.${name}`, run));
}
