import type { Http, HttpResponse } from '../http/client.ts';
import { HttpFailure } from '../http/errors.ts';
import { isTransientStatus, responseFailure, transportFailure } from './errorResponse.ts';
import { Failure } from './errors.ts';

/** What a Bearer challenge (RFC 6750 section 3, RFC 9728 section 5.1) says that we use. */
export interface Challenge {
  /**
   * Where the resource's metadata lies. Usually one; some servers name two of which the first is dead
   * (getsentry/sentry-mcp#939), so all are kept, in order.
   */
  resourceMetadata: string[];
  /** The scopes that the request would have needed; undefined when none were named. */
  scopes?: string[];
  /** `invalid_token`, `insufficient_scope`, … */
  error?: string;
}

/**
 * Reads the Bearer challenge of a `WWW-Authenticate` header, which may hold challenges of other schemes as well, and
 * several headers joined by commas. Undefined when there is none. Never throws: what cannot be read is skipped.
 */
export function parseChallenge(header: string | null | undefined): Challenge | undefined {
  const parameters = bearerParameters(header ?? '');
  if (parameters === undefined) {
    return undefined;
  }
  const scopes = (parameters.get('scope')?.[0] ?? '').split(/\s+/).filter((scope) => scope !== '');
  const error = parameters.get('error')?.[0];
  return {
    resourceMetadata: parameters.get('resource_metadata') ?? [],
    ...(scopes.length > 0 && { scopes }),
    ...(error !== undefined && { error }),
  };
}

/**
 * Asks the MCP server without a token, to be challenged.
 * @throws Failure of step `discovery`: `nonsense` with code `no_mcp_endpoint` when there is none at this address,
 *   `transient` when the server is in trouble or gives no answer
 */
export async function requestChallenge(
  http: Http,
  serverUrl: URL,
  { signal }: { signal?: AbortSignal } = {},
): Promise<{ status: number; challenge?: Challenge }> {
  let response: HttpResponse;
  try {
    response = await http({
      method: 'POST',
      url: serverUrl,
      headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (error instanceof HttpFailure && error.kind === 'redirected') {
      throw noEndpoint(serverUrl);
    }
    throw transportFailure(error, 'discovery');
  }
  const { status, headers } = response;
  if (isTransientStatus(status)) {
    throw responseFailure(response, 'discovery', []);
  }
  if (status === 404 || status === 405) {
    throw noEndpoint(serverUrl);
  }
  const challenge = status === 401 ? parseChallenge(headers.get('www-authenticate')) : undefined;
  return { status, ...(challenge && { challenge }) };
}

function noEndpoint({ host }: URL): Failure {
  return new Failure('invalidResponse', { step: 'discovery', code: 'no_mcp_endpoint', host });
}

const longestHeader = 16_384;
const space = /[ \t\r\n]/;
const tokenCharacter = /[^\s,="]/;

/** All Bearer challenges' parameters by lower-case name, in order; undefined when no challenge is a Bearer one. */
function bearerParameters(header: string): Map<string, string[]> | undefined {
  const text = header.slice(0, longestHeader);
  let position = 0;
  let inBearer = false;
  let found: Map<string, string[]> | undefined;
  const skip = (pattern: RegExp): void => {
    while (position < text.length && pattern.test(text.charAt(position))) {
      position += 1;
    }
  };
  while (position < text.length) {
    skip(/[\s,]/);
    const start = position;
    skip(tokenCharacter);
    const word = text.slice(start, position);
    const wordEnd = position;
    skip(space);
    if (word === '') {
      position += 1;
    } else if (text.charAt(position) === '=' && !isToken68(text, position)) {
      position += 1;
      skip(space);
      const value = readValue(text, position);
      position = value.end;
      if (inBearer && found !== undefined) {
        const name = word.toLowerCase();
        found.set(name, [...(found.get(name) ?? []), value.text]);
      }
    } else {
      // A word without `=` begins a challenge; the token68 of another scheme (`Negotiate YII…=`) looks like one and does no harm.
      position = Math.max(wordEnd, position);
      skip(/=/);
      inBearer = word.toLowerCase() === 'bearer';
      if (inBearer) {
        found ??= new Map();
      }
    }
  }
  return found;
}

/** Whether the `=` at `position` is padding at the end of a token68, not the middle of a parameter. */
function isToken68(text: string, position: number): boolean {
  return /^=+\s*(,|$)/.test(text.slice(position, position + 8));
}

/** Reads a parameter's value: quoted with escapes, or up to the next comma or space; `'…'` as some servers write it (QwenLM/qwen-code#5343). */
function readValue(text: string, start: number): { text: string; end: number } {
  const quote = text.charAt(start);
  if (quote !== '"') {
    let end = start;
    while (end < text.length && !/[\s,]/.test(text.charAt(end))) {
      end += 1;
    }
    return { text: text.slice(start, end).replace(/^'(.*)'$/, '$1'), end };
  }
  let value = '';
  let position = start + 1;
  while (position < text.length && text.charAt(position) !== quote) {
    if (text.charAt(position) === '\\') {
      position += 1;
    }
    value += text.charAt(position);
    position += 1;
  }
  return { text: value, end: position + 1 };
}
