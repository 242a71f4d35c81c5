import { isObject } from '../core/json.ts';

/** A JSON-RPC error object (JSON-RPC 2.0, section 5.1). */
export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

type RpcId = string | number | null;

/** The requests that an error response has to address. */
export interface RequestIds {
  /** The ids of the requests in a body, in order; empty if it contains only notifications and responses. */
  ids: RpcId[];
  /** Whether the body is a batch, so that the response must be an array. */
  batch: boolean;
}

/** The body of a response that gives every request the same error; undefined if there are no requests. */
export function errorBody({ ids, batch }: RequestIds, error: RpcError): string | undefined {
  const errors = ids.map((id) => ({ jsonrpc: '2.0', id, error }));
  return errors.length === 0 ? undefined : JSON.stringify(batch ? errors : errors[0]);
}

/** The ids of the requests in a body. If it is not JSON-RPC, the response has the id `null`, as JSON-RPC requires. */
export function requestIdsOf(body: Uint8Array): RequestIds {
  const message = parseJson(textOf(body));
  const batch = Array.isArray(message);
  return { ids: (batch ? message : [message]).flatMap(idOf), batch };
}

/**
 * Like `requestIdsOf`, for a body that was too large to keep, from its first and last bytes. Clients write the id next
 * to method and version, before the parameters (VS Code) or after them (the MCP SDK). Not found there, it is `null`.
 */
export function requestIdsOfEnds(head: Uint8Array, tail: Uint8Array): RequestIds {
  const id = idAtStart.exec(textOf(head))?.[1] ?? idAtEnd.exec(textOf(tail))?.[1];
  const value = id === undefined ? null : parseJson(id);
  return { ids: [isId(value) ? value : null], batch: false };
}

/** The error of a response body that is a single JSON-RPC error, regardless of the HTTP status. */
export function rpcErrorIn(body: string): RpcError | undefined {
  const message = parseJson(body);
  const error = isObject(message) && message.jsonrpc === '2.0' ? message.error : undefined;
  if (!isObject(error) || !Number.isInteger(error.code) || typeof error.message !== 'string') {
    return undefined;
  }
  const { code, message: text, data } = error;
  return { code: Number(code), message: text, ...(data !== undefined && { data }) };
}

const idMember = String.raw`"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)`;
const plainMember = String.raw`"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"`;
const idAtStart = new RegExp(String.raw`^\s*\{\s*(?:${plainMember}\s*,\s*)*${idMember}\s*[,}]`);
const idAtEnd = new RegExp(String.raw`,\s*${idMember}\s*(?:,\s*${plainMember}\s*)*\}\s*$`);

/** The id of a request, `null` if it is invalid; nothing for a notification or a response. */
function idOf(message: unknown): RpcId[] {
  if (!isObject(message)) {
    return [null];
  }
  if (message.id === undefined || !('method' in message)) {
    return [];
  }
  return [isId(message.id) ? message.id : null];
}

function isId(value: unknown): value is RpcId {
  return typeof value === 'string' || typeof value === 'number' || value === null;
}

/** The value; undefined if `text` is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
