import { jsonObject } from '../core/json.ts';
import type { BearerHttp } from '../http/bearer.ts';
import { Failure } from '../oauth/errors.ts';
import { type CallOptions, callTool } from './mcpClient.ts';
import { toolErrorOf, toolFailure } from './toolErrors.ts';

/** The name of a tool, which the server may lack, and its arguments. */
export type ToolCall = readonly [tool: string, args: Record<string, unknown>];

/**
 * Calls one tool after another until `read` finds something in a result's structured content or in its text as JSON, as
 * either may be the one that has it. Skips tools that the server does not have or that do not accept the arguments.
 * @returns undefined if no tool returned what `read` looks for
 * @throws Failure as `callTool` does, or if a tool fails: `transient` if the same call may succeed later
 */
export async function readFromTools<T>(
  http: BearerHttp,
  serverUrl: URL,
  calls: readonly ToolCall[],
  read: (content: Record<string, unknown>) => T | undefined,
  options: CallOptions,
): Promise<T | undefined> {
  for (const [tool, args] of calls) {
    try {
      const result = await callTool(http, serverUrl, tool, args, options);
      const error = toolErrorOf(result);
      if (error !== undefined) {
        throw toolFailure(error, serverUrl.host, http.sent);
      }
      for (const content of [result.structured, jsonObject(result.text)]) {
        const found = content && read(content);
        if (found !== undefined) {
          return found;
        }
      }
    } catch (error) {
      if (!(error instanceof Failure && error.details.code === 'invalid_params')) {
        throw error;
      }
    }
  }
  return undefined;
}
