import { parseServerUrl } from '../oauth/serverUrl.ts';
import { serverUrlText } from './settings.ts';

// Apart from the other settings, which activation loads: it needs no URL parser.

/** The configured MCP server as `URL.href`, or an empty string, which matches no account, if the setting is invalid. */
export function configuredServerUrl(): string {
  try {
    return parseServerUrl(serverUrlText()).href;
  } catch {
    return '';
  }
}
