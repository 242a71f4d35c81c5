import { isSecure } from '../http/url.ts';
import { Failure, type FailureCode } from './errors.ts';

/**
 * Parses the MCP server URL that the user configured.
 * @throws Failure `misconfigured` with a code for what is wrong with the URL
 */
export function parseServerUrl(text: string): URL {
  const trimmed = text.trim();
  const code = urlErrorCode(trimmed);
  if (code !== undefined) {
    throw new Failure('misconfigured', { step: 'discovery', code });
  }
  return new URL(trimmed);
}

/** The URL as it is sent as `resource` (RFC 8707): its `href`, but without the slash if there is no path. */
export function canonicalResource(serverUrl: URL): string {
  return serverUrl.pathname === '/' ? serverUrl.origin : serverUrl.href;
}

function urlErrorCode(text: string): FailureCode | undefined {
  if (text === '') {
    return 'server_url_empty';
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return 'server_url_no_scheme';
  }
  // `URL` silently drops line breaks and turns backslashes into slashes; a URL that contains them is a typing error.
  const url = /[\s\\]/.test(text) || !URL.canParse(text) ? undefined : new URL(text);
  if (url === undefined) {
    return 'server_url_invalid';
  }
  if (url.username !== '' || url.password !== '') {
    return 'server_url_credentials';
  }
  if (!isSecure(url)) {
    return 'server_url_insecure';
  }
  if (text.includes('#')) {
    return 'server_url_fragment';
  }
  if (text.includes('?')) {
    return 'server_url_query';
  }
  if (/\/sse\/?$/i.test(url.pathname)) {
    return 'server_url_sse';
  }
  // `https://host/` and `https://host` are the same URL, so only a slash after a path is an error.
  return url.pathname !== '/' && url.pathname.endsWith('/') ? 'server_url_trailing_slash' : undefined;
}
