import { type DisplayText, displayLink } from '../core/displayText.ts';
import { isObject } from '../core/json.ts';
import type { BearerHttp } from '../http/bearer.ts';
import type { CallOptions } from './mcpClient.ts';
import { readFromTools, type ToolCall } from './readFromTools.ts';

/** The account's access to a tool, as Notion reports it. The texts are Notion's: clean them before showing them. */
export interface ToolAccess {
  /** For example `available` or `plan_required`; Notion adds to them. */
  status: string;
  /** An https address where the user can get access. */
  link?: DisplayText;
  /** The paths of the parameters that the plan does not include, for example `filters.title_only`. */
  restrictedParameters: string[];
}

/**
 * Reads which tools the account may use.
 * @returns the access by tool, for `accessTo`; a tool that Notion says nothing about is missing
 * @throws Failure as `readFromTools` does
 */
export async function readToolAccess(
  http: BearerHttp,
  serverUrl: URL,
  options: CallOptions = {},
): Promise<Map<string, ToolAccess>> {
  const access = await readFromTools(http, serverUrl, accessCalls, accessIn, options);
  return access ?? new Map();
}

/** The access to a tool by its listed name; undefined if Notion does not say. */
export function accessTo(access: ReadonlyMap<string, ToolAccess>, tool: string): ToolAccess | undefined {
  return access.get(baseName(tool));
}

const accessCalls: readonly ToolCall[] = [
  ['notion-get-tool-access', {}],
  ['get-tool-access', {}],
  ['notion-fetch', { id: 'self' }],
  ['fetch', { id: 'self' }],
];

function accessIn(content: Record<string, unknown>): Map<string, ToolAccess> | undefined {
  const all = content.current_tool_access ?? (isObject(content.self) ? content.self.current_tool_access : undefined);
  if (!isObject(all)) {
    return undefined;
  }
  const access = new Map(Object.entries(all).flatMap(([tool, entry]) => accessEntry(tool, entry)));
  // Notion omits `search` where `ai_search` can be used, as calls of it then search with AI.
  if (!access.has('search') && access.get('ai_search')?.status === 'available') {
    access.set('search', { status: 'available', restrictedParameters: [] });
  }
  return access;
}

function accessEntry(tool: string, entry: unknown): [string, ToolAccess][] {
  if (!isObject(entry) || typeof entry.status !== 'string') {
    return [];
  }
  const { status, restricted_parameters: restricted } = entry;
  const link = [entry.upgrade_url, entry.full_version_url, entry.landing_page_url].map(shownLink).find(Boolean);
  return [
    [
      baseName(tool),
      { status, ...(link && { link }), restrictedParameters: isObject(restricted) ? Object.keys(restricted) : [] },
    ],
  ];
}

/** Notion's key for a tool, which is listed as `notion-ai-search` or, for OpenAI's clients, as `ai-search`: `ai_search`. */
function baseName(tool: string): string {
  return tool.replaceAll('-', '_').replace(/^notion_/, '');
}

function shownLink(value: unknown): DisplayText | undefined {
  return typeof value === 'string' && URL.canParse(value) ? displayLink(new URL(value)) : undefined;
}
