import { isObject, jsonObject } from '../core/json.ts';
import type { ToolResult } from '../notion/mcpClient.ts';
import { toolErrorOf } from '../notion/toolErrors.ts';
import { displayReason } from '../oauth/errorResponse.ts';
import { ClientFailure } from './problem.ts';
import type { ToolCalls } from './toolCalls.ts';

/** What Notion recommends where it recommends nothing; and within which limits it is followed. */
const usualSeconds = 2;
const shortestSeconds = 0.5;
const longestSeconds = 60;

/** The object in a tool's result, in the structured content or in the text; undefined if there is none. */
export function objectIn({ structured, text }: ToolResult): Record<string, unknown> | undefined {
  return structured ?? jsonObject(text);
}

/**
 * Calls a tool that changes something. If it works on in the background, waits for that at the pace that Notion asks
 * for (developers.notion.com/guides/mcp/mcp-supported-tools, "Async page create and update").
 * @returns the result's object; undefined if there is none
 * @throws ClientFailure with code `outcomeUnknown` if it is not known what became of the work
 */
export async function callToEnd(
  calls: ToolCalls,
  tool: string,
  args: Record<string, unknown>,
): Promise<Record<string, unknown> | undefined> {
  let task = objectIn(await calls.call(tool, args));
  if (!isTask(task)) {
    return task;
  }
  const { id } = task;
  for (let seconds = secondsIn(task); ; seconds = secondsIn(task, seconds)) {
    switch (task?.status) {
      case 'succeeded':
        return isObject(task.result) ? task.result : task;
      case 'failed':
        throw taskFailure(task);
      default:
        // Also for a status that is new: it is not known to be the last.
        task = await poll(calls, id, seconds);
    }
  }
}

async function poll(calls: ToolCalls, id: string, seconds: number): Promise<Record<string, unknown> | undefined> {
  try {
    await calls.pause(seconds * 1_000);
    return objectIn(await calls.call('notion-get-async-task', { task_id: id }));
  } catch (error) {
    if (error instanceof ClientFailure && error.code !== 'cancelled') {
      // Whatever prevents us from asking, the work may have been done.
      throw new ClientFailure({ kind: 'taskLost' });
    }
    throw error;
  }
}

function isTask(value: Record<string, unknown> | undefined): value is Record<string, unknown> & { id: string } {
  return value?.object === 'async_task' && typeof value.id === 'string';
}

function secondsIn(task: Record<string, unknown> | undefined, before = usualSeconds): number {
  const asked = task?.poll_after_seconds;
  return typeof asked === 'number' ? Math.min(longestSeconds, Math.max(shortestSeconds, asked)) : before;
}

function taskFailure({ error }: Record<string, unknown>): ClientFailure {
  const found = toolErrorOf({ isError: true, text: '', ...(isObject(error) && { structured: { error } }) });
  const code = found?.code ?? 'unknown';
  return new ClientFailure({ kind: 'tool', code, reason: displayReason(found?.message ?? '', []) });
}
