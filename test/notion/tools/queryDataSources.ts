import { isSame, type Tool, ToolError, text } from './tool.ts';

/** Documented: the mode `rows` with `results` and `has_more` (guides/mcp/mcp-supported-tools). */
export const queryDataSources: Tool = {
  name: 'notion-query-data-sources',
  description: 'Reads the rows of a data source.',
  inputSchema: {
    type: 'object',
    properties: { mode: { type: 'string', enum: ['rows'] }, data_source_url: { type: 'string' } },
    required: ['mode', 'data_source_url'],
  },
  call: (args, { workspace }) => {
    const url = text(args, 'data_source_url');
    const database = workspace.databases.find(({ dataSource }) => isSame(dataSource, url));
    if (database === undefined) {
      throw new ToolError('object_not_found', `Could not find data source with URL: ${url}.`);
    }
    const [titleProperty = 'title'] = Object.entries(database.schema).find(([, type]) => type === 'title') ?? [];
    const rows = workspace.pages.filter(({ dataSource }) => dataSource === database.dataSource);
    return {
      results: rows.map(({ title, properties }) => ({ [titleProperty]: title, ...properties })),
      has_more: false,
    };
  },
};
