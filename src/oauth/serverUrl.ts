import { isSecure } from '../http/url.ts';
import { Failure } from './errors.ts';

/**
 * The MCP server's URL as a person wrote it.
 * @throws Failure of kind `misconfigured` whose code names the mistake; nothing has been sent
 */
export function parseServerUrl(text: string): URL {
  const trimmed = text.trim();
  const mistake = mistakeIn(trimmed);
  if (mistake !== undefined) {
    throw new Failure('misconfigured', { step: 'discovery', code: mistake });
  }
  return new URL(trimmed);
}

/** The URL as it is sent as `resource` (RFC 8707): what `href` says, but without the slash that stands for no path. */
export function canonicalResource(serverUrl: URL): string {
  return serverUrl.pathname === '/' ? serverUrl.origin : serverUrl.href;
}

function mistakeIn(text: string): string | undefined {
  if (text === '') {
    return 'server_url_empty';
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return 'server_url_no_scheme';
  }
  // `URL` quietly drops line breaks and turns backslashes; a person who wrote them meant something else.
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
  // `https://host/` and `https://host` are the same URL: only a slash after a path is a mistake.
  return url.pathname !== '/' && url.pathname.endsWith('/') ? 'server_url_trailing_slash' : undefined;
}
