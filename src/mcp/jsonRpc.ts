import { isObject } from '../core/json.ts';
/** JSON-RPC's error object (JSON-RPC 2.0, section 5.1). */
export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

type RpcId = string | number | null;

/** Whom an error must be addressed to. */
export interface RequestIds {
  /** Of the requests in a body, in order; none when it holds notifications and responses only. */
  ids: RpcId[];
  /** Whether the body is a batch, so that its answer is an array. */
  batch: boolean;
}

/** The body of an answer that gives every addressee the same error; undefined when nobody waits for one. */
export function errorBody({ ids, batch }: RequestIds, error: RpcError): string | undefined {
  const errors = ids.map((id) => ({ jsonrpc: '2.0', id, error }));
  return errors.length === 0 ? undefined : JSON.stringify(batch ? errors : errors[0]);
}

/** Who waits for an answer to this body. What is no JSON-RPC gets an answer with the id `null`, as JSON-RPC has it. */
export function requestIdsOf(body: Uint8Array): RequestIds {
  const message = parsed(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  const batch = Array.isArray(message);
  return { ids: (batch ? message : [message]).flatMap(idOf), batch };
}

/**
 * The same of a body that was too large to keep, from its first and last bytes. Callers write the id beside method and
 * version, before the parameters (VS Code) or after them (the MCP SDK); found nowhere there, it is `null`.
 */
export function requestIdsOfEnds(head: Uint8Array, tail: Uint8Array): RequestIds {
  const id = idAtStart.exec(Buffer.from(head).toString())?.[1] ?? idAtEnd.exec(Buffer.from(tail).toString())?.[1];
  const value = id === undefined ? null : parsed(id);
  return { ids: [isId(value) ? value : null], batch: false };
}

/** The error in an answer that is one JSON-RPC error, however its status calls it. */
export function rpcErrorIn(body: string): RpcError | undefined {
  const message = parsed(body);
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

/** The id to answer to, or nothing for a notification or a response. */
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

/** The value, or undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
