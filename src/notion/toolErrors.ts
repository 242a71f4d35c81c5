import { isObject, jsonObject } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';
import { displayReason } from '../oauth/errorResponse.ts';
import { Failure, type FailureCode, type FailureKind } from '../oauth/errors.ts';
import type { ToolResult } from './mcpClient.ts';

/** Why a tool of Notion failed. */
export interface ToolError {
  /** By construction, it never contains the server's text. */
  code: ToolErrorCode;
  /** The server's text, which may be empty; clean it before showing it. */
  message: string;
  /** How long the server asked us to wait, in milliseconds from now. */
  retryAfterMs?: number;
}

export type ToolErrorCode = keyof typeof failures;

/**
 * Recognizes the error in a tool's result; undefined if the tool did not fail. Notion describes it as `{error: {code, …}}`
 * in the structured content and as JSON in the text (developers.notion.com/guides/mcp/rate-limits). The text may also be
 * an error of its API (makenotion/notion-mcp-server#112) or of the MCP SDK.
 */
export function toolErrorOf({
  isError,
  structured,
  text,
}: Pick<ToolResult, 'isError' | 'structured' | 'text'>): ToolError | undefined {
  if (!isError) {
    return undefined;
  }
  const json = jsonObject(text);
  const described = [structured?.error, structured, json?.error, json].filter(isObject);
  const error = described.find(({ code }) => typeof code === 'string');
  const message = messageIn(error) ?? (json === undefined ? text : '');
  const seconds = error?.retry_after_seconds;
  return {
    code: codeOf(error?.code, message),
    message,
    ...(typeof seconds === 'number' && seconds >= 0 && { retryAfterMs: Math.min(seconds * 1000, maxDelayMs) }),
  };
}

/**
 * The failure for a tool's error: `serverRejected` if the same call would fail again, else `transient`. The secrets in
 * `sent` are redacted if the server quotes them.
 */
export function toolFailure(
  { code, message, retryAfterMs }: ToolError,
  host: string,
  sent: readonly Secret[],
): Failure {
  const [kind, failureCode] = failures[code];
  return new Failure(kind, {
    step: 'identity',
    code: failureCode,
    host,
    serverReason: displayReason(message, sent) || displayReason(code, []),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

const maxDelayMs = 24 * 60 * 60_000;

const failures = {
  // Notion's own codes: developers.notion.com/reference/status-codes and request-limits
  rate_limited: ['transient', 'rate_limited'],
  service_overload: ['transient', 'rate_limited'],
  conflict_error: ['transient', 'tool_error'],
  internal_server_error: ['transient', 'tool_error'],
  service_unavailable: ['transient', 'tool_error'],
  database_connection_unavailable: ['transient', 'tool_error'],
  gateway_timeout: ['transient', 'tool_error'],
  unauthorized: ['serverRejected', 'tool_error'],
  restricted_resource: ['serverRejected', 'tool_error'],
  object_not_found: ['serverRejected', 'invalid_params'],
  validation_error: ['serverRejected', 'invalid_params'],
  invalid_json: ['serverRejected', 'invalid_params'],
  invalid_request: ['serverRejected', 'invalid_params'],
  invalid_request_url: ['serverRejected', 'invalid_params'],
  // Errors that have no code of Notion's
  unknownTool: ['serverRejected', 'invalid_params'],
  /** The tool does not accept the arguments. */
  invalidParams: ['serverRejected', 'invalid_params'],
  /** A serialization bug in Notion's own server: not the caller's fault, and the next call may succeed. */
  serverFault: ['transient', 'server_fault'],
  unknown: ['transient', 'tool_error'],
} as const satisfies Record<string, readonly [FailureKind, FailureCode]>;

function codeOf(code: unknown, message: string): ToolErrorCode {
  if (/Expected (array|object), received string|should be defined, instead was `?undefined`?/i.test(message)) {
    return 'serverFault';
  }
  if (typeof code === 'string') {
    return Object.hasOwn(failures, code) ? (code as ToolErrorCode) : 'unknown';
  }
  // The MCP SDK's server reports an unknown tool, or arguments that do not fit, as the text of a tool's error.
  if (isUnknownTool(message)) {
    return 'unknownTool';
  }
  return /^MCP error -32602\b/.test(message) ? 'invalidParams' : 'unknown';
}

/** Whether the text of an error says that the server does not have the tool. */
export function isUnknownTool(message: string): boolean {
  return /^(MCP error -32602: )?(Tool \S{1,100} not found|Unknown tool\b)/.test(message);
}

/** The text of an error: its own, or that of the API response which the API's client quotes in `body`. */
function messageIn(error: Record<string, unknown> | undefined): string | undefined {
  const body = typeof error?.body === 'string' ? jsonObject(error.body) : undefined;
  return [error?.message, body?.message].find((text) => typeof text === 'string');
}
