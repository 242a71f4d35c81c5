import { ConfigurationTarget, workspace } from 'vscode';
import type { ChannelSetting } from '../signIn/channels.ts';

const section = 'notionMcp';

/** The server that needs no setting, as `URL.href`. */
export const defaultServerUrl = 'https://mcp.notion.com/mcp';

/** The setting's full name, for "Open Setting". */
export const serverUrlSetting = `${section}.serverUrl`;

/** The setting's full name, for "Open Setting". */
export const signInChannelSetting = `${section}.signInChannel`;

/** The setting's full name, for "Enter Client ID". */
export const clientIdSetting = `${section}.clientId`;

/** `notionMcp.serverUrl` as the person wrote it; judged where it is used. */
export function serverUrlText(): string {
  return workspace.getConfiguration(section).get<string>('serverUrl', defaultServerUrl);
}

/** `notionMcp.signInChannel`; anything that is not one of its values counts as `auto`. */
export function signInChannel(): ChannelSetting {
  const value = workspace.getConfiguration(section).get<string>('signInChannel', 'auto');
  return value === 'uriHandler' || value === 'loopback' || value === 'paste' ? value : 'auto';
}

/** `notionMcp.clientId`; `undefined` when the editor is to register itself. */
export function configuredClientId(): string | undefined {
  return workspace.getConfiguration(section).get<string>('clientId', '').trim() || undefined;
}

/** The setting's full name. */
export const offerMcpServerSetting = `${section}.offerMcpServer`;

/** `notionMcp.offerMcpServer`: whether chat and agents may use Notion's MCP server through this extension. */
export function offersMcpServer(): boolean {
  return workspace.getConfiguration(section).get<boolean>('offerMcpServer', true);
}

/** What the person chose in a message: no more tools for chat. */
export async function stopOfferingMcpServer(): Promise<void> {
  await workspace.getConfiguration(section).update('offerMcpServer', false, ConfigurationTarget.Global);
}
