import { parseServerUrl } from '../oauth/serverUrl.ts';
import { serverUrlText } from './settings.ts';

/** The configured MCP server. @throws Failure `misconfigured` if the setting is invalid */
export function configuredServer(): URL {
  return parseServerUrl(serverUrlText());
}

/** The configured MCP server as `URL.href`, or an empty string, which matches no account, if the setting is invalid. */
export function configuredServerUrl(): string {
  try {
    return configuredServer().href;
  } catch {
    return '';
  }
}
