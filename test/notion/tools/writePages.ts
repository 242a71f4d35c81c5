import { randomUUID } from 'node:crypto';
import { isObject } from '../../../src/core/json.ts';
import type { Page, Workspace } from '../directory.ts';
import { idIn, isSame, type Tool, type ToolContext, ToolError, text, urlOf } from './tool.ts';

/** Documented: the arguments and the asynchronous result (guides/mcp/mcp-supported-tools). Reported: the result. */
export const createPages: Tool = {
  name: 'notion-create-pages',
  description: 'Creates pages with a title and content in Notion’s markdown.',
  inputSchema: {
    type: 'object',
    properties: {
      pages: {
        type: 'array',
        items: {
          type: 'object',
          properties: { properties: { type: 'object' }, content: { type: 'string' }, icon: { type: 'string' } },
        },
      },
      parent: { type: 'object' },
      allow_async: { type: 'boolean' },
    },
    required: ['pages'],
  },
  call: ({ pages, parent, allow_async: allowAsync }, context) => {
    if (!Array.isArray(pages) || pages.length === 0 || !pages.every(isObject)) {
      throw new ToolError('validation_error', 'body.pages should be a non-empty array of objects.');
    }
    const place = placeOf(parent, context.workspace);
    const created = pages.map((page) => newPage(page, place, context));
    context.workspace.pages.push(...created);
    const result = { pages: created.map(({ id, title }) => ({ id, url: urlOf(id), properties: { title } })) };
    return allowAsync === true ? asyncTask('create_pages', result, context) : result;
  },
};

/** As for `notion-create-pages`. Documented too: each `old_str` has to match exactly once, or nothing is changed. */
export const updatePage: Tool = {
  name: 'notion-update-page',
  description: 'Changes the properties or the content of a page.',
  inputSchema: {
    type: 'object',
    properties: {
      page_id: { type: 'string' },
      command: { type: 'string', enum: ['update_properties', 'replace_content', 'update_content'] },
      properties: { type: 'object' },
      new_str: { type: 'string' },
      content_updates: { type: 'array', items: { type: 'object' } },
      allow_async: { type: 'boolean' },
    },
    required: ['page_id', 'command'],
  },
  call: (args, context) => {
    const id = text(args, 'page_id');
    const page = context.workspace.pages.find((each) => isSame(each.id, id));
    if (page === undefined) {
      throw new ToolError('object_not_found', `Could not find page with ID: ${id}.`);
    }
    switch (args.command) {
      case 'update_properties':
        setProperties(page, args.properties);
        break;
      case 'replace_content':
        page.text = typeof args.new_str === 'string' ? args.new_str : '';
        break;
      case 'update_content':
        page.text = updated(page.text, args.content_updates);
        break;
      default:
        throw new ToolError('validation_error', 'body.command should be a command of this tool.');
    }
    page.lastEditedAt = new Date(context.nowMs()).toISOString();
    const result = { page_id: page.id };
    const isTask = args.allow_async === true || context.profile.runningPolls > 0;
    return isTask ? asyncTask('update_page', result, context) : result;
  },
};

/** Documented, except for the name of the member that holds the result. */
export const getAsyncTask: Tool = {
  name: 'notion-get-async-task',
  description: 'Reads the state of a task that another tool started.',
  inputSchema: { type: 'object', properties: { task_id: { type: 'string' } }, required: ['task_id'] },
  call: (args, { tasks }) => {
    const id = text(args, 'task_id');
    const task = tasks.get(id);
    if (task === undefined) {
      throw new ToolError('object_not_found', `Could not find async task with ID: ${id}.`);
    }
    task.polls -= 1;
    if (task.polls >= 0) {
      return { object: 'async_task', id, status: 'running', poll_after_seconds: pollAfterSeconds };
    }
    const { result } = task;
    return { object: 'async_task', id, status: 'succeeded', result };
  },
};

const pollAfterSeconds = 2;

function asyncTask(name: string, result: object, { tasks, nowMs, profile }: ToolContext): object {
  const id = `task_${randomUUID()}`;
  tasks.set(id, { result, polls: profile.runningPolls });
  return {
    object: 'async_task',
    id,
    status: 'queued',
    status_url: `https://api.notion.com/v1/async_tasks/${id}`,
    created_time: new Date(nowMs()).toISOString(),
    poll_after_seconds: pollAfterSeconds,
    operation: { surface: 'mcp', name },
  };
}

/** Where new pages go: below a page, into a data source, or to the top of the workspace. */
function placeOf(parent: unknown, { pages, databases }: Workspace): Pick<Page, 'parent' | 'dataSource'> {
  if (!isObject(parent)) {
    return {};
  }
  const reference = [parent.page_id, parent.database_id, parent.data_source_id].find((id) => typeof id === 'string');
  const id = idIn(reference ?? '') ?? '';
  const page = pages.find((each) => isSame(each.id, id));
  const database = databases.find((each) => isSame(each.id, id) || isSame(each.dataSource, id));
  if (page === undefined && database === undefined) {
    throw new ToolError('object_not_found', `Could not find the parent with ID: ${reference}.`);
  }
  return page === undefined ? { dataSource: database?.dataSource ?? '' } : { parent: page.id };
}

function newPage(
  { properties, content, icon }: Record<string, unknown>,
  place: Pick<Page, 'parent' | 'dataSource'>,
  { nowMs }: ToolContext,
): Page {
  const page: Page = {
    id: randomUUID(),
    title: 'Untitled',
    text: typeof content === 'string' ? content : '',
    lastEditedAt: new Date(nowMs()).toISOString(),
    comments: [],
    ...(typeof icon === 'string' && { icon }),
    ...place,
  };
  setProperties(page, properties);
  return page;
}

function setProperties(page: Page, properties: unknown): void {
  const { title, ...others } = isObject(properties) ? properties : {};
  if (typeof title === 'string') {
    page.title = title;
  }
  const values = Object.entries(others).map(([name, value]) => [name, String(value)] as const);
  page.properties = { ...page.properties, ...Object.fromEntries(values) };
}

function updated(content: string, updates: unknown): string {
  let result = content;
  for (const { old_str: old, new_str: replacement, replace_all_matches: all } of (updates ?? []) as Record<
    string,
    unknown
  >[]) {
    const matches = result.split(String(old)).length - 1;
    if (matches === 0 || (matches > 1 && all !== true)) {
      throw new ToolError('validation_error', `old_str matches ${matches} times: ${JSON.stringify(old)}`);
    }
    result = result.replaceAll(String(old), () => String(replacement));
  }
  return result;
}
