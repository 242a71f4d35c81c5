import type { ContractRow } from './contractRow.ts';

const buildClient = 'developers.notion.com/guides/mcp/build-mcp-client';
const supportedTools = 'developers.notion.com/guides/mcp/mcp-supported-tools';

/** What is known of Notion's MCP endpoint and its tools. */
export const toolContract = [
  {
    shape: 'event stream for one message',
    kind: 'reported',
    source: 'reported',
    test: 'the MCP endpoint responds to a single request with an event stream and without a session',
  },
  {
    shape: 'CORS headers',
    kind: 'reported',
    source: 'reported, and in cloudflare/workers-oauth-provider 0.8.3, on which Notion builds',
    test: 'a web page can read the responses, unless the profile refuses its origin at the MCP endpoint',
  },
  {
    shape: 'refused origin',
    kind: 'reported',
    source: 'reported for the pages of a browser extension',
    test: 'a web page can read the responses, unless the profile refuses its origin at the MCP endpoint',
    profile: ['origins'],
  },
  {
    shape: 'tool list',
    kind: 'documented',
    source: supportedTools,
    test: 'the tools have Notion’s names, of which two lose their prefix for OpenAI’s clients',
    profile: ['toolNames'],
  },
  {
    shape: 'annotations of tools',
    kind: 'assumed',
    source: 'no source',
    test: 'the tools that change nothing are annotated as such only where the profile says so',
    profile: ['readOnlyHints'],
  },
  {
    shape: 'unknown tool',
    kind: 'reported',
    source: 'reported',
    test: 'an unknown tool, such as notion-get-self, is the error of a tool',
  },
  {
    shape: 'identity',
    kind: 'documented',
    source: `${buildClient}; the outer members: reported`,
    test: 'notion-fetch self gives the identity in the member self of one text block of JSON',
    profile: ['identity', 'email'],
  },
  {
    shape: 'identity without self',
    kind: 'assumed',
    source: 'no source',
    test: 'a profile can give the identity alone and without an e-mail address',
    profile: ['identity', 'email'],
  },
  {
    shape: 'failing identity call',
    kind: 'reported',
    source: 'reported',
    test: 'a profile lets identity calls fail in every known way, for some calls or for all',
    profile: ['identityFailure'],
  },
  {
    shape: 'tool access',
    kind: 'documented',
    source: supportedTools,
    test: 'notion-get-tool-access gives the map of base names, or the part of it that is asked for',
  },
  {
    shape: 'rate limit of a tool',
    kind: 'documented',
    source: 'developers.notion.com/guides/mcp/rate-limits',
    test: 'the rate limit of a tool is in structuredContent.error and as the same JSON in the text',
    profile: ['identityFailure'],
  },
  {
    shape: 'serialization fault',
    kind: 'reported',
    source: 'reported',
    test: 'a profile lets identity calls fail in every known way, for some calls or for all',
    profile: ['identityFailure'],
  },
  {
    shape: 'error of a tool',
    kind: 'reported',
    source: 'reported; the form as documented for rate limits',
    test: 'the errors of tools have Notion’s codes',
  },
  {
    shape: 'API error with Retry-After',
    kind: 'documented',
    source: 'developers.notion.com/reference/request-limits',
    test: 'HTTP 429, 529 and 503 carry Retry-After, and repeat it in the body',
    profile: ['identityFailure'],
  },
  {
    shape: 'search result',
    kind: 'reported',
    source: `reported; the type: ${supportedTools}`,
    test: 'notion-search finds pages by words of their titles and texts',
  },
  {
    shape: 'search without a result',
    kind: 'assumed',
    source: 'the empty list: reported; no source for the notice',
    test: 'a search that finds nothing gives an empty list and says what there is',
  },
  {
    shape: 'fetched page',
    kind: 'documented',
    source: `${supportedTools}; the text around the markdown: reported`,
    test: 'notion-fetch gives a page by its id or URL, with its markdown and its place',
  },
  {
    shape: 'fetched database',
    kind: 'reported',
    source: 'reported',
    test: 'notion-fetch gives a database with its schema, and its rows can be read',
  },
  {
    shape: 'rows of a data source',
    kind: 'documented',
    source: supportedTools,
    test: 'notion-fetch gives a database with its schema, and its rows can be read',
  },
  {
    shape: 'comments',
    kind: 'reported',
    source: 'reported',
    test: 'notion-get-comments gives the comments of a page, or an object without text',
  },
  {
    shape: 'users',
    kind: 'reported',
    source: 'reported',
    test: 'notion-get-users lists the users, and gives the connected one for self',
  },
  {
    shape: 'created pages',
    kind: 'reported',
    source: `reported; the arguments: ${supportedTools}`,
    test: 'pages that were created can be found, read and changed',
  },
  {
    shape: 'updated page',
    kind: 'reported',
    source: `reported; the errors: ${supportedTools}`,
    test: 'pages that were created can be found, read and changed',
  },
  {
    shape: 'asynchronous task',
    kind: 'documented',
    source: `${supportedTools}; no source for the name of the result`,
    test: 'an asynchronous call gives a task whose result can be polled',
  },
  {
    shape: 'running task, also unasked',
    kind: 'documented',
    source: supportedTools,
    test: 'an update can become a task without being asked to, and a task can be running for some polls',
    profile: ['runningPolls'],
  },
] as const satisfies readonly ContractRow[];
