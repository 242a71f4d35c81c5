import { workspace } from 'vscode';

const section = 'notionMcp';

/** The server that needs no setting, as `URL.href`. */
export const defaultServerUrl = 'https://mcp.notion.com/mcp';

/** The setting's full name, for "Open Setting". */
export const serverUrlSetting = `${section}.serverUrl`;

/** `notionMcp.serverUrl` as the person wrote it; judged where it is used. */
export function serverUrlText(): string {
  return workspace.getConfiguration(section).get<string>('serverUrl', defaultServerUrl);
}
