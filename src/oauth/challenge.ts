import type { Http, HttpResponse } from '../http/client.ts';
import { HttpFailure } from '../http/errors.ts';
import { rpcErrorIn } from '../mcp/jsonRpc.ts';
import { modernRequest } from '../mcp/revision.ts';
import { isTransientStatus, responseFailure, transportFailure } from './errorResponse.ts';
import { Failure } from './errors.ts';
import { parseScope } from './scopes.ts';

/** The parameters of a Bearer challenge (RFC 6750 section 3, RFC 9728 section 5.1) that we use. */
export interface Challenge {
  /**
   * The URLs of the resource metadata, in order. Usually there is one; some servers name two, and the first is dead
   * (getsentry/sentry-mcp#939).
   */
  resourceMetadata: string[];
  /** The scopes that the request needs; undefined if the challenge names none. */
  scopes?: string[];
  /** `invalid_token`, `insufficient_scope`, … */
  error?: string;
}

/**
 * Parses the Bearer challenge in a `WWW-Authenticate` header. The header may also contain challenges of other schemes,
 * and may be several headers joined by commas. Returns undefined if there is no Bearer challenge. Never throws:
 * malformed parts are skipped.
 */
export function parseChallenge(header: string | null | undefined): Challenge | undefined {
  const parameters = bearerParameters(header ?? '');
  if (parameters === undefined) {
    return undefined;
  }
  const scopes = parseScope(parameters.get('scope')?.[0]);
  const error = parameters.get('error')?.[0];
  return {
    resourceMetadata: parameters.get('resource_metadata') ?? [],
    ...(scopes && { scopes }),
    ...(error !== undefined && { error }),
  };
}

/** What the MCP server responds to a request without a token. */
export interface ChallengeResponse {
  /** Whether the server demands a token, with status 401. */
  isChallenged: boolean;
  /** The challenge of a 401. */
  challenge?: Challenge;
  /** Why the response does not come from a working MCP endpoint: there is none at this URL, or it is unavailable now. */
  failure?: Failure;
}

/**
 * Sends a request without a token to the MCP server, to receive its challenge. It lists the tools, as some servers serve
 * the requests that begin a connection to everybody.
 * @throws Failure of step `discovery` if there is no response
 */
export async function requestChallenge(
  http: Http,
  serverUrl: URL,
  { signal }: { signal?: AbortSignal } = {},
): Promise<ChallengeResponse> {
  const { host } = serverUrl;
  const { message, headers } = modernRequest(1, 'tools/list', {});
  let response: HttpResponse;
  try {
    response = await http({
      method: 'POST',
      url: serverUrl,
      headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (error instanceof HttpFailure && error.kind === 'redirected') {
      return { isChallenged: false, failure: noEndpoint(host) };
    }
    throw transportFailure(error, 'discovery');
  }
  const { status, body } = response;
  if (status === 401) {
    const challenge = parseChallenge(response.headers.get('www-authenticate'));
    return { isChallenged: true, ...(challenge && { challenge }) };
  }
  // An MCP server that lacks the method says so in JSON-RPC.
  const isNoEndpoint = (status === 404 || status === 405) && rpcErrorIn(body) === undefined;
  const failure = isTransientStatus(status)
    ? responseFailure(response, body, { step: 'discovery', host })
    : isNoEndpoint && noEndpoint(host);
  return { isChallenged: false, ...(failure && { failure }) };
}

function noEndpoint(host: string): Failure {
  return new Failure('invalidResponse', { step: 'discovery', code: 'no_mcp_endpoint', host });
}

const longestHeader = 16_384;
const space = /[ \t\r\n]/;
const tokenCharacter = /[^\s,="]/;

/** The parameters of all Bearer challenges by lower-case name, in order; undefined if there is no Bearer challenge. */
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
      // A word without `=` starts a challenge. The token68 of another scheme (`Negotiate YII…=`) looks like a scheme
      // too, which is harmless.
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

/** Whether the `=` at `position` is the padding of a token68 rather than the separator of a parameter. */
function isToken68(text: string, position: number): boolean {
  return /^=+\s*(,|$)/.test(text.slice(position, position + 8));
}

/**
 * Reads a parameter's value: a quoted string with escapes, or the text up to the next comma or space. Some servers use
 * single quotes, which are removed (QwenLM/qwen-code#5343).
 */
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
