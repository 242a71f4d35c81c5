import { isObject } from '../core/json.ts';
import type { ToolResult } from '../notion/mcpClient.ts';
import { callToEnd, objectIn } from './asyncTasks.ts';
import {
  createdPageIn,
  idIn,
  type Page,
  pageIn,
  type SearchResults,
  type Self,
  searchResultsIn,
  selfIn,
  updatedPageIn,
  type WrittenPage,
} from './pages.ts';
import { ClientFailure } from './problem.ts';
import type { ToolCalls } from './toolCalls.ts';

/**
 * The operations on pages, by name. Each takes the arguments of another extension, of which nothing is known, and
 * returns what `src/notionClient.ts` promises.
 */
export const pageTools = {
  search: async (calls: ToolCalls, { query, options = {} }: Arguments): Promise<SearchResults> => {
    const args = { ...object('options', options), query: string('query', query) };
    return searchResultsIn(objectIn(await callEither(calls, 'search', args)));
  },

  fetchPage: async (calls: ToolCalls, { id }: Arguments): Promise<Page> => {
    const reference = string('id', id);
    return pageIn(objectIn(await callEither(calls, 'fetch', { id: reference })), reference);
  },

  self: async (calls: ToolCalls): Promise<Self> => selfIn(objectIn(await callEither(calls, 'fetch', { id: 'self' }))),

  createPage: async (
    calls: ToolCalls,
    { title, properties = {}, markdown = '', parent }: Arguments,
  ): Promise<WrittenPage> => {
    const all = { ...object('properties', properties), title: string('title', title) };
    const page = { properties: all, content: text('markdown', markdown) };
    const args = { pages: [page], ...(parent !== undefined && { parent: parentIn(parent) }) };
    const result = await callToEnd(calls, 'notion-create-pages', args);
    return afterWrite(() => createdPageIn(result));
  },

  updatePage: async (calls: ToolCalls, { id, change }: Arguments): Promise<WrittenPage> => {
    const reference = string('id', id);
    const args = { page_id: idIn(reference) ?? reference, ...changeIn(object('change', change)) };
    const result = await callToEnd(calls, 'notion-update-page', args);
    return afterWrite(() => updatedPageIn(result, reference));
  },
};

export type PageTool = keyof typeof pageTools;

export type Arguments = Record<string, unknown>;

/** Calls a tool that Notion lists without its prefix for some clients (guides/mcp/mcp-supported-tools). */
async function callEither(calls: ToolCalls, name: 'fetch' | 'search', args: Arguments): Promise<ToolResult> {
  try {
    return await calls.call(`notion-${name}`, args);
  } catch (error) {
    if (error instanceof ClientFailure && error.code === 'toolUnavailable') {
      return calls.call(name, args);
    }
    throw error;
  }
}

/** Where a page is to be created, as Notion's tool takes it. */
function parentIn(parent: unknown): Arguments {
  const { pageId, databaseId, dataSourceId } = object('parent', parent);
  const [name, id] = [
    ['page_id', pageId] as const,
    ['database_id', databaseId] as const,
    ['data_source_id', dataSourceId] as const,
  ].find(([, each]) => each !== undefined) ?? ['', undefined];
  const reference = string('parent', id);
  return { [name]: idIn(reference) ?? reference };
}

/** What is to be changed on a page, as Notion's tool takes it. */
function changeIn({ properties, replace, edits }: Arguments): Arguments {
  if (properties !== undefined) {
    return { command: 'update_properties', properties: object('properties', properties) };
  }
  if (replace !== undefined) {
    return { command: 'replace_content', new_str: text('replace', replace) };
  }
  if (!Array.isArray(edits) || edits.length === 0) {
    throw new ClientFailure({ kind: 'badArgument', name: 'change' });
  }
  const updates = edits.map((edit) => {
    const { find, replaceWith, all } = object('edits', edit);
    return {
      old_str: string('find', find),
      new_str: text('replaceWith', replaceWith),
      ...(all === true && { replace_all_matches: true }),
    };
  });
  return { command: 'update_content', content_updates: updates };
}

/** The call has changed something: if its result cannot be read, the caller must not believe that it has not. */
function afterWrite<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ClientFailure ? new ClientFailure(error.problem, { mayBeDone: true }) : error;
  }
}

export function object(name: string, value: unknown): Arguments {
  return isObject(value) ? value : bad(name);
}

/** An argument that is a text and not empty. */
export function string(name: string, value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : bad(name);
}

function text(name: string, value: unknown): string {
  return typeof value === 'string' ? value : bad(name);
}

function bad(name: string): never {
  throw new ClientFailure({ kind: 'badArgument', name });
}
