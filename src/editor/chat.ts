import { commands, lm, workspace } from 'vscode';
import { listen } from '#platform/listen';
import { offersMcpServer } from './settings.ts';

const openChatCommand = 'workbench.action.chat.open';

/** Whether this editor has a chat that can use Notion's MCP server through this extension. */
export async function canOpenChat(): Promise<boolean> {
  return (
    canOfferMcpServer() &&
    offersMcpServer() &&
    !isSwitchedOff() &&
    (await commands.getCommands(true)).includes(openChatCommand)
  );
}

/** Opens the editor's chat. */
export function openChat(): void {
  void commands.executeCommand(openChatCommand);
}

/** Forks of the editor may lack the API, and the gateway of the MCP servers needs a host that can listen. */
function canOfferMcpServer(): boolean {
  const register: typeof lm.registerMcpServerDefinitionProvider | undefined = lm?.registerMcpServerDefinitionProvider;
  return listen !== undefined && register !== undefined;
}

/** The editor keeps its commands when the user or a policy switches chat, or MCP servers in it, off. */
function isSwitchedOff(): boolean {
  const chat = workspace.getConfiguration('chat');
  return chat.get<boolean>('disableAIFeatures', false) || chat.get<string>('mcp.access') === 'none';
}
