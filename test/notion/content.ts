import type { Directory, Workspace } from './directory.ts';

type Content = Pick<Workspace, 'pages' | 'databases'>;

const engine = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f01';
const checklist = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f02';
const outage = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f03';
const tasks = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f10';
const taskSource = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f11';
const moth = '2e7b9d14-3c5f-4a6d-8b22-1b6f3e8c5a01';

/** Two users of two workspaces that have content. */
export function newDirectory(): Directory {
  return {
    users: [
      { id: 'user-ada', name: 'Ada Lovelace', email: 'ada@example.com' },
      { id: 'user-grace', name: 'Grace Hopper', email: 'grace@example.com' },
    ],
    workspaces: [
      { id: 'workspace-wiki', name: 'Engineering Wiki', ...engineeringWiki() },
      { id: 'workspace-notes', name: 'Team Notes', ...teamNotes() },
    ],
    toolAccess: {
      search: { status: 'available' },
      fetch: { status: 'available' },
      get_tool_access: { status: 'available' },
      create_pages: { status: 'available' },
      update_page: { status: 'available' },
      // Documented for all plans below Business with Notion AI.
      query_data_sources: { status: 'available_with_limit', upgrade_url: 'https://www.notion.so/pricing' },
      get_comments: { status: 'available' },
      get_users: { status: 'available' },
      get_async_task: { status: 'available' },
    },
  };
}

/** The content of a wiki: pages, of which one has a comment, and a database of tasks. */
function engineeringWiki(): Content {
  const row = { text: '', dataSource: taskSource, comments: [] };
  return {
    pages: [
      {
        id: engine,
        title: 'Analytical Engine',
        icon: '⚙️',
        text: `# What it is
The Analytical Engine weaves algebraical patterns, as the Jacquard loom weaves flowers and leaves.

## Parts
- **Mill**: adds, subtracts, multiplies and divides.
- **Store**: 1,000 numbers of 40 digits each.
- **Cards**: one set for operations, one for variables.

<callout icon="💡">
	Note G has the program for the Bernoulli numbers.
</callout>`,
        lastEditedAt: '2026-09-14T08:30:00.000Z',
        comments: [
          {
            id: '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f21',
            user: 'user-grace',
            createdAt: '2026-09-15T10:05:00.000Z',
            text: 'Does the store have room for the table of Note G?',
          },
        ],
      },
      {
        id: checklist,
        title: 'Release checklist',
        icon: '🚀',
        text: `Every release goes through this list.
- [x] Tests are green on all platforms
- [ ] The changelog names every change that a user notices
- [ ] Two engineers have tried the package
---
Questions go to the channel \`#releases\`.`,
        parent: engine,
        lastEditedAt: '2026-09-30T16:00:00.000Z',
        comments: [],
      },
      {
        id: outage,
        title: 'Outage of 3 September',
        text: `## Timeline
<table>
<tr><td>09:12</td><td>The first card jams.</td></tr>
<tr><td>09:40</td><td>The mill is stopped.</td></tr>
</table>
## Cause
A worn gear in the third column. The checklist did not cover it.`,
        lastEditedAt: '2026-09-04T12:00:00.000Z',
        comments: [],
      },
      {
        ...row,
        id: '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f12',
        title: 'Replace the worn gear',
        properties: { Status: 'Done', Priority: 'High' },
        lastEditedAt: '2026-09-05T09:00:00.000Z',
      },
      {
        ...row,
        id: '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f13',
        title: 'Print the table of Bernoulli numbers',
        properties: { Status: 'In progress', Priority: 'Medium' },
        lastEditedAt: '2026-09-21T14:20:00.000Z',
      },
      {
        ...row,
        id: '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f14',
        title: 'Order 500 cards',
        properties: { Status: 'Not started', Priority: 'Low' },
        lastEditedAt: '2026-09-22T11:45:00.000Z',
      },
    ],
    databases: [
      {
        id: tasks,
        dataSource: taskSource,
        title: 'Tasks',
        parent: engine,
        schema: { Name: 'title', Status: 'status', Priority: 'select' },
      },
    ],
  };
}

/** The content of a small workspace. */
function teamNotes(): Content {
  return {
    pages: [
      {
        id: moth,
        title: 'First bug found',
        icon: '🦋',
        text: `Relay 70, panel F: a moth.

> First actual case of bug being found.

It is taped into the log book, page 92.`,
        lastEditedAt: '2026-09-09T15:45:00.000Z',
        comments: [],
      },
      {
        id: '2e7b9d14-3c5f-4a6d-8b22-1b6f3e8c5a02',
        title: 'Weekly meeting',
        text: `## Agenda
1. Compiler: who writes the first one?
2. Nanoseconds, in wire of 30 cm`,
        lastEditedAt: '2026-09-28T13:00:00.000Z',
        comments: [],
      },
    ],
    databases: [],
  };
}
