import { isObject, jsonObject } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';
import type { BearerHttp } from '../http/bearer.ts';
import type { HttpRequest, HttpResponse } from '../http/client.ts';
import { eventData } from '../mcp/eventStream.ts';
import { type RpcError, rpcErrorIn } from '../mcp/jsonRpc.ts';
import {
  discoverMethod,
  handshakeRevision,
  initializeParams,
  isModernError,
  modernRequest,
  needsHandshake,
} from '../mcp/revision.ts';
import { parseChallenge } from '../oauth/challenge.ts';
import { displayReason, responseFailure, transportFailure } from '../oauth/errorResponse.ts';
import { Failure } from '../oauth/errors.ts';

export interface CallOptions {
  signal?: AbortSignal;
  /**
   * The origins whose servers turned out to speak only revisions before 2026-07-28. Shared between calls, it saves them
   * the first attempt.
   */
  olderOrigins?: Set<string>;
  /** The time limit and the size limit of each response, if not the usual ones. */
  limits?: Pick<HttpRequest, 'deadlineMs' | 'maxBytes'>;
}

/** JSON-RPC's "Invalid params", by which MCP servers also report an unknown tool. */
const invalidParams = -32602;
/** JSON-RPC's "Internal error". */
const internalError = -32603;

/**
 * Sends one request to an MCP server over Streamable HTTP and returns its result. It speaks revision 2026-07-28, and
 * older ones to servers that know only those. Notion's server is stateless, so one HTTP request is enough. If an older
 * server requires a session, the client sends `initialize` and then repeats the request.
 * @throws Failure of step `identity`: `serverRejected` with code `invalid_token` if the server rejects the token, with
 *   code `insufficient_scope` if the token lacks scopes, both with the scopes of the challenge, with code
 *   `invalid_params` or `rpc_error` if it responds with a JSON-RPC error, `transient` if that is an internal error
 */
export async function mcpRequest(
  http: BearerHttp,
  serverUrl: URL,
  method: string,
  params: Record<string, unknown>,
  { signal, olderOrigins, limits }: CallOptions = {},
): Promise<Record<string, unknown>> {
  const post: Post = (message, headers) =>
    send(http, serverUrl, message, headers, { ...limits, ...(signal && { signal }) });
  const { origin } = serverUrl;
  if (!olderOrigins?.has(origin)) {
    const { message, headers } = modernRequest(1, method, params);
    const response = await post(message, headers);
    if (!needsHandshake(response, rpcErrorOf(response))) {
      return readResult(response, http.sent);
    }
    olderOrigins?.add(origin);
  }
  const response = await postToOlderServer(post, method, params, http.sent);
  if (isModernError(rpcErrorOf(response))) {
    // The server was updated; the next call tries the current revision again.
    olderOrigins?.delete(origin);
  }
  return readResult(response, http.sent);
}

type Post = (message: Record<string, unknown>, headers: Record<string, string>) => Promise<HttpResponse>;

/** Sends a request in the way of the revisions before 2026-07-28. */
async function postToOlderServer(
  post: Post,
  method: string,
  params: Record<string, unknown>,
  sent: readonly Secret[],
): Promise<HttpResponse> {
  if (method === discoverMethod) {
    return post({ id: 1, method: 'initialize', params: initializeParams }, {});
  }
  const call = { id: 1, method, params };
  const response = await post(call, { 'mcp-protocol-version': handshakeRevision });
  // The SDK's server responds with 400 before `initialize` and with 404 for an unknown session.
  const needsSession = (response.status === 400 || response.status === 404) && !isModernError(rpcErrorOf(response));
  return needsSession ? post(call, await openSession(post, sent)) : response;
}

/** Performs the `initialize` handshake and returns the headers for all later requests of the session. */
async function openSession(post: Post, sent: readonly Secret[]): Promise<Record<string, string>> {
  const response = await post({ id: 0, method: 'initialize', params: initializeParams }, {});
  const { result } = rpcResponse(response, 0, sent);
  const negotiatedVersion = isObject(result) ? result.protocolVersion : undefined;
  const session = response.headers.get('mcp-session-id');
  const headers = {
    'mcp-protocol-version':
      typeof negotiatedVersion === 'string' && /^[\w.-]+$/.test(negotiatedVersion)
        ? negotiatedVersion
        : handshakeRevision,
    ...(session !== null && { 'mcp-session-id': session }),
  };
  await post({ method: 'notifications/initialized' }, headers);
  return headers;
}

async function send(
  http: BearerHttp,
  serverUrl: URL,
  message: Record<string, unknown>,
  headers: Record<string, string>,
  options: Pick<HttpRequest, 'signal' | 'deadlineMs' | 'maxBytes'>,
): Promise<HttpResponse> {
  try {
    return await http({
      method: 'POST',
      url: serverUrl,
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      redirects: 'refuse',
      ...options,
    });
  } catch (error) {
    throw transportFailure(error, 'identity');
  }
}

/** The JSON-RPC response to request `id` in a JSON or an event-stream body. */
function rpcResponse(response: HttpResponse, id: number, sent: readonly Secret[]): Record<string, unknown> {
  const { status, headers, url, body } = response;
  const details = { step: 'identity', status, host: url.host } as const;
  const challenge = status === 401 || status === 403 ? parseChallenge(headers.get('www-authenticate')) : undefined;
  if (status === 401 || challenge?.error === 'insufficient_scope') {
    const code = status === 401 ? 'invalid_token' : 'insufficient_scope';
    throw new Failure('serverRejected', { ...details, code, ...(challenge?.scopes && { scopes: challenge.scopes }) });
  }
  const found = messagesIn(response)
    .map((text) => jsonObject(text))
    .find((message) => message !== undefined && message.id === id && ('result' in message || 'error' in message));
  if (found !== undefined) {
    return found;
  }
  throw (
    responseFailure(response, body, { step: 'identity', host: url.host, sent }) ??
    new Failure('invalidResponse', { ...details, code: 'no_reply' })
  );
}

/** The JSON-RPC messages in a response, as texts. */
function messagesIn({ headers, body }: HttpResponse): string[] {
  return /\bevent-stream\b/i.test(headers.get('content-type') ?? '') ? eventData(body) : [body];
}

function rpcErrorOf(response: HttpResponse): RpcError | undefined {
  return messagesIn(response)
    .map(rpcErrorIn)
    .find((error) => error !== undefined);
}

/** The result of request 1. */
function readResult(response: HttpResponse, sent: readonly Secret[]): Record<string, unknown> {
  const { result, error } = rpcResponse(response, 1, sent);
  const { host } = response.url;
  if (isObject(error)) {
    const reason = typeof error.message === 'string' ? error.message : '';
    throw new Failure(error.code === internalError ? 'transient' : 'serverRejected', {
      step: 'identity',
      code: error.code === invalidParams ? 'invalid_params' : 'rpc_error',
      host,
      serverReason: displayReason(reason, sent),
    });
  }
  if (!isObject(result)) {
    throw new Failure('invalidResponse', { step: 'identity', code: 'no_result', host, missing: 'result' });
  }
  return result;
}

/** The result of a tool call. */
export interface ToolResult {
  /** The content's text blocks, joined. */
  text: string;
  structured?: Record<string, unknown>;
  /** All blocks, as the server sent them. */
  content: Record<string, unknown>[];
  /** The tool ran and failed; `text` contains the reason. */
  isError: boolean;
}

/** Calls one tool. @throws Failure as `mcpRequest` does */
export async function callTool(
  http: BearerHttp,
  serverUrl: URL,
  name: string,
  args: Record<string, unknown>,
  options: CallOptions = {},
): Promise<ToolResult> {
  const params = { name, arguments: args };
  const result = await mcpRequest(http, serverUrl, 'tools/call', params, options);
  const blocks = Array.isArray(result.content) ? result.content.filter(isObject) : [];
  const text = blocks
    .map((block) => (block.type === 'text' && typeof block.text === 'string' ? block.text : ''))
    .join('');
  return {
    text,
    content: blocks,
    isError: result.isError === true,
    ...(isObject(result.structuredContent) && { structured: result.structuredContent }),
  };
}
