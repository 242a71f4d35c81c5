import type { HttpFailureKind } from '../http/http.ts';
import type { Failure } from '../oauth/errors.ts';

/** Why a caller gets an error of ours instead of the MCP server's answer. */
export type ProblemKind =
  /** The account's grant is over; only its person can help. */
  | 'signInNeeded'
  /** The account was signed out. */
  | 'signedOut'
  /** The token could not be renewed, for a reason that is not the network's; `failure` says which. */
  | 'renewalFailed'
  /** The server rejects a token that was just renewed. */
  | 'tokenRejected'
  /** The server wants scopes that the grant does not have. */
  | 'scopeMissing'
  /** Nothing came back, or it broke off. */
  | 'unreachable'
  | 'rateLimited'
  /** 5xx and the like: the same may work later. */
  | 'serverTrouble'
  /** The server understood and said no. */
  | 'serverRefuses'
  /** An answer that is not MCP's: HTML, a redirect, nothing. */
  | 'nonsense'
  /** The request is larger than the gateway carries. */
  | 'tooLarge'
  /** A mistake of ours. */
  | 'internal';

export interface Problem {
  kind: ProblemKind;
  /** The MCP server's host. */
  host: string;
  /** The HTTP status, where there was an answer. */
  status?: number;
  /** How long the server asks to wait. */
  waitSeconds?: number;
  /** The scopes that are missing, where the server named them. */
  scopes?: string[];
  /** Why the account's token cannot be used. */
  failure?: Failure;
  /** Why the server cannot be reached. */
  transport?: HttpFailureKind;
}

/** The sentence that a caller, and so perhaps a person in a chat, reads. */
export type Sentence = (problem: Problem) => string;

/** JSON-RPC's error object (JSON-RPC 2.0, section 5.1). */
export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

type RpcId = string | number | null;

/** Whom an error must be addressed to. */
export interface Addressees {
  /** Of the requests in a body, in order; none when it holds notifications and responses only. */
  ids: RpcId[];
  /** Whether the body is a batch, so that its answer is an array. */
  batch: boolean;
}

/**
 * JSON-RPC leaves -32000 to -32099 to servers; the lowest of them are taken by the MCP SDKs (connection closed, time-out)
 * and by MCP itself.
 */
const codes: Readonly<Record<ProblemKind, number>> = {
  signInNeeded: -32080,
  signedOut: -32081,
  renewalFailed: -32082,
  tokenRejected: -32083,
  scopeMissing: -32084,
  unreachable: -32085,
  rateLimited: -32086,
  serverTrouble: -32087,
  serverRefuses: -32088,
  nonsense: -32089,
  tooLarge: -32090,
  internal: -32603,
};

/** The error that tells a caller of a problem; programs read `data.kind`. */
export function errorOf(problem: Problem, sentence: Sentence): RpcError {
  const { kind, status, waitSeconds, scopes } = problem;
  return {
    code: codes[kind],
    message: sentence(problem),
    data: {
      kind,
      ...(status !== undefined && { status }),
      ...(waitSeconds !== undefined && { retryAfterSeconds: waitSeconds }),
      ...(scopes !== undefined && { scopes }),
    },
  };
}

/** The body of an answer that gives every addressee the same error; undefined when nobody waits for one. */
export function errorBody({ ids, batch }: Addressees, error: RpcError): string | undefined {
  const errors = ids.map((id) => ({ jsonrpc: '2.0', id, error }));
  return errors.length === 0 ? undefined : JSON.stringify(batch ? errors : errors[0]);
}

/** Who waits for an answer to this body. What is no JSON-RPC gets an answer with the id `null`, as JSON-RPC has it. */
export function addresseesOf(body: Uint8Array): Addressees {
  const message = parsed(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  const batch = Array.isArray(message);
  return { ids: (batch ? message : [message]).flatMap(idOf), batch };
}

/**
 * The same of a body that was too large to keep, from its first and last bytes. Callers write the id beside method and
 * version, before the parameters (VS Code) or after them (the MCP SDK); found nowhere there, it is `null`.
 */
export function addresseesOfEnds(head: Uint8Array, tail: Uint8Array): Addressees {
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value, or undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
