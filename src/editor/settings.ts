import { workspace } from 'vscode';
import type { ChannelSetting } from '../signIn/channels.ts';

const section = 'notionMcp';

/** The MCP server that the extension uses by default, as `URL.href`. */
export const defaultServerUrl = 'https://mcp.notion.com/mcp';

/** The setting's full name, for "Open Setting". */
export const serverUrlSetting = `${section}.serverUrl`;

/** The setting's full name, for "Open Setting". */
export const signInChannelSetting = `${section}.signInChannel`;

/** The setting's full name, for "Enter Client ID". */
export const clientIdSetting = `${section}.clientId`;

/** `notionMcp.serverUrl` as the user entered it; callers validate it. */
export function serverUrlText(): string {
  return workspace.getConfiguration(section).get<string>('serverUrl', defaultServerUrl);
}

/** `notionMcp.signInChannel`; an unknown value counts as `auto`. */
export function signInChannel(): ChannelSetting {
  const value = workspace.getConfiguration(section).get<string>('signInChannel', 'auto');
  return value === 'uriHandler' || value === 'loopback' || value === 'paste' ? value : 'auto';
}

/** `notionMcp.clientId`; `undefined` if the editor is to register itself. */
export function configuredClientId(): string | undefined {
  return workspace.getConfiguration(section).get<string>('clientId', '').trim() || undefined;
}

/** The setting's full name. */
export const offerMcpServerSetting = `${section}.offerMcpServer`;

/** `notionMcp.offerMcpServer`: whether chat and agents may use Notion's MCP server through this extension. */
export function offersMcpServer(): boolean {
  return workspace.getConfiguration(section).get<boolean>('offerMcpServer', true);
}
