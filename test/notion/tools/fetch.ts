import type { Database, Page, Workspace } from '../directory.ts';
import { self } from './self.ts';
import { isSame, type Tool, ToolError, text, urlOf } from './tool.ts';

/**
 * Documented: `path`, `page_last_edited_at`, `cover` and `icon` (guides/mcp/mcp-supported-tools). The other members and
 * the text around a page's markdown are reported.
 */
export const fetchTool: Tool = {
  name: 'notion-fetch',
  description: 'Reads a page or a database by its id or URL. The id “self” says who is connected to which workspace.',
  inputSchema: {
    type: 'object',
    properties: { id: { type: 'string', description: 'An id, a URL, or “self”' } },
    required: ['id'],
  },
  call: (args, context) => {
    const id = text(args, 'id');
    const { workspace, nowMs } = context;
    if (id === 'self') {
      return self(context);
    }
    const page = workspace.pages.find((each) => isSame(each.id, id));
    if (page !== undefined) {
      return fetchedPage(page, workspace, nowMs());
    }
    const database = workspace.databases.find((each) => isSame(each.id, id) || isSame(each.dataSource, id));
    if (database !== undefined) {
      return fetchedDatabase(database, workspace, nowMs());
    }
    throw new ToolError('object_not_found', `Could not find page with ID: ${id}.`);
  },
};

function fetchedPage(page: Page, workspace: Workspace, nowMs: number): object {
  const { id, title, icon, lastEditedAt, text: content, properties = {} } = page;
  const above = ancestors(page, workspace);
  const url = urlOf(id);
  const body =
    content === ''
      ? '<blank-page>This page is blank and has no content.</blank-page>'
      : `<content>\n${content}\n</content>`;
  return {
    metadata: { type: 'page' },
    title,
    url,
    path: above.map((each) => each.title).join(' / '),
    page_last_edited_at: lastEditedAt,
    cover: null,
    icon: icon === undefined ? null : { type: 'emoji', emoji: icon },
    text: [
      `Here is the result of "view" for the Page with URL ${url} as of ${new Date(nowMs).toISOString()}:`,
      `<page url="${url}">`,
      ...ancestorPath(above),
      `<properties>\n${JSON.stringify({ title, ...properties })}\n</properties>`,
      body,
      '</page>',
    ].join('\n'),
  };
}

function fetchedDatabase(database: Database, workspace: Workspace, nowMs: number): object {
  const { id, dataSource, title, schema } = database;
  const url = urlOf(id);
  const types = Object.fromEntries(Object.entries(schema).map(([name, type]) => [name, { type }]));
  return {
    metadata: { type: 'database' },
    title,
    url,
    text: [
      `Here is the result of "view" for the Database with URL ${url} as of ${new Date(nowMs).toISOString()}:`,
      `<database url="${url}">`,
      ...ancestorPath(ancestors(database, workspace)),
      `<data-source url="collection://${dataSource}">`,
      `<data-source-state>\n${JSON.stringify({ name: title, schema: types })}\n</data-source-state>`,
      '</data-source>',
      '</database>',
    ].join('\n'),
  };
}

/** What is above a page or a database, the top first. */
function ancestors(
  { parent, dataSource }: Pick<Page, 'parent' | 'dataSource'>,
  workspace: Workspace,
): (Page | Database)[] {
  const above =
    workspace.pages.find(({ id }) => id === parent) ??
    workspace.databases.find((database) => database.id === parent || database.dataSource === dataSource);
  return above === undefined ? [] : [...ancestors({ ...above, dataSource: '' }, workspace), above];
}

function ancestorPath(above: readonly (Page | Database)[]): string[] {
  const parent = above.at(-1);
  return parent === undefined
    ? []
    : [`<ancestor-path>\n<parent-page url="${urlOf(parent.id)}" title="${parent.title}"/>\n</ancestor-path>`];
}
