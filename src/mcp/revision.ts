import { toBase64 } from '../core/encoding.ts';
import { isObject } from '../core/json.ts';
import type { RpcError } from './jsonRpc.ts';

/** The revision that we speak first. Every request carries its version, so there is no handshake and no session. */
const modernRevision = '2026-07-28';

/** The method that asks a server what it speaks. On older revisions, `initialize` is sent instead. */
export const discoverMethod = 'server/discover';

/** Whether a value of `MCP-Protocol-Version` names a revision without a handshake. Revisions are dates. */
export function isModernRevision(version: string | string[] | undefined): boolean {
  return typeof version === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= modernRevision;
}

/** The revision that we speak to servers of the revisions before it, which begin with `initialize`. */
export const handshakeRevision = '2025-06-18';

const handshakeRevisions = new Set(['2025-11-25', '2025-06-18', '2025-03-26']);

const clientInfo = { name: 'notion-mcp-auth', version: '1' };

/** The parameters of our `initialize` request. */
export const initializeParams = { protocolVersion: handshakeRevision, capabilities: {}, clientInfo };

/** A JSON-RPC request and the HTTP headers that go with it. */
export interface McpMessage {
  message: { method: string; params: Record<string, unknown>; id: number };
  headers: Record<string, string>;
}

/** A request of revision 2026-07-28, with the headers that mirror its body (Streamable HTTP, "Request Metadata"). */
export function modernRequest(id: number, method: string, params: Record<string, unknown>): McpMessage {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': modernRevision,
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return { message: { id, method, params: { ...params, _meta } }, headers: mirroredHeaders(method, params) };
}

/** The headers that mirror the body of a request of revision 2026-07-28. */
export function mirroredHeaders(method: string, params: Record<string, unknown>): Record<string, string> {
  const mirrored = method === 'resources/read' ? params.uri : params.name;
  return {
    'mcp-protocol-version': modernRevision,
    'mcp-method': method,
    ...(typeof mirrored === 'string' && namedMethods.has(method) && { 'mcp-name': headerValue(mirrored) }),
  };
}

/** The revision that a request's body names, if it is of 2026-07-28 or later. */
export function modernRevisionIn(params: Record<string, unknown>): string | undefined {
  const version = isObject(params._meta) ? params._meta['io.modelcontextprotocol/protocolVersion'] : undefined;
  return typeof version === 'string' && isModernRevision(version) ? version : undefined;
}

const namedMethods = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** The value as it is if it is plain ASCII, else in Base64, marked as such ("Value Encoding"). */
function headerValue(value: string): string {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !/^=\?base64\?.*\?=$/.test(value);
  return isPlain ? value : `=?base64?${toBase64(new TextEncoder().encode(value))}?=`;
}

const methodNotFound = -32601;
const headerMismatch = -32020;
const missingCapability = -32021;
const unsupportedVersion = -32022;

/**
 * Whether a response to a modern request shows that the server speaks only older revisions, which begin with a
 * handshake. A server that names its versions decides that itself, and one that rejects the request with another error
 * of revision 2026-07-28 speaks that revision.
 */
export function needsHandshake({ status }: { status: number }, error: RpcError | undefined): boolean {
  if (error?.code === unsupportedVersion) {
    const supported = isObject(error.data) && Array.isArray(error.data.supported) ? error.data.supported : [];
    return supported.some((version) => handshakeRevisions.has(version));
  }
  if (error?.code === methodNotFound) {
    // A modern server says so with 404.
    return status !== 404;
  }
  return (status === 400 || status === 404) && !isModernError(error);
}

/** Whether only a server of revision 2026-07-28 or later sends this error. */
export function isModernError(error: RpcError | undefined): boolean {
  return error !== undefined && [headerMismatch, missingCapability, unsupportedVersion].includes(error.code);
}
