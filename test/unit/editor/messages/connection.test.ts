import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayLink, displayText } from '../../../../src/core/displayText.ts';
import type { ConnectionReport } from '../../../../src/diagnostics/connectionTest.ts';
import type { ToolAccess } from '../../../../src/notion/toolAccess.ts';
import { Failure, type FailureDetails } from '../../../../src/oauth/errors.ts';
import '../vscode.ts';

const { connectionLines } = await import('../../../../src/editor/messages/connection.ts');

const name = displayText('Ada', 60);
/** The text of a connection test, as the document shows it. */
const connectionText = (report: ConnectionReport): string => `${connectionLines(name, report, 0).join('\n')}\n`;

const passed: ConnectionReport = {
  checks: [],
  requests: [],
  tools: [],
  notTried: [],
  wasRenewed: false,
  access: new Map(),
};

/** What the text of a connection test says about a tool with this access. */
function describe(access: Partial<ToolAccess> | undefined): string | undefined {
  const all = new Map(access && [['fetch', { status: '', restrictedParameters: [], ...access }]]);
  const text = connectionText({ ...passed, tools: ['notion-fetch'], access: all });
  return /^ {2}notion-fetch: (.*)\n$/m.exec(text)?.[1];
}

for (const [status, words] of Object.entries({
  // developers.notion.com/guides/mcp/mcp-supported-tools
  available: 'available',
  available_with_limit: 'available, with a limit',
  plan_required: 'needs a higher Notion plan',
  upgrade_required: 'needs a higher Notion plan',
  full_version_required: 'needs the full version of Notion MCP',
  not_enabled: 'not enabled in this workspace',
  // Reported by other clients.
  limited_free_trial: 'Notion says: “limited_free_trial”',
  'new\u202e\n$(bug) [x](command:y)': 'Notion says: “new (bug) [x] (command:y)”',
  '\u200b': 'not stated by Notion',
})) {
  test(`the details of a connection test describe the tool access ${JSON.stringify(status)} as ${words}`, () => {
    assert.equal(describe({ status }), words);
  });
}

test('the details of a connection test say “not stated by Notion” where a tool’s access is missing', () => {
  assert.equal(describe(undefined), 'not stated by Notion');
});

test('the details of a connection test list restricted parameters and show the link as plain text', () => {
  assert.equal(
    describe({
      status: 'plan_required',
      link: displayLink(new URL('https://www.notion.com/plans')) ?? assert.fail(),
      restrictedParameters: ['filters.title_only', 'sort\u202e`x`\n'],
    }),
    "needs a higher Notion plan, restrictions on filters.title_only, sort'x': https://www.notion.com/plans",
  );
});

for (const [title, kind, details, sentence] of [
  [
    'a rate limit with a pause',
    'transient',
    { code: 'rate_limited', retryAfterMs: 11_500 },
    'mcp.notion.com is limiting requests. Try again in 12 seconds.',
  ],
  ['a rate limit', 'transient', { code: 'rate_limited' }, 'mcp.notion.com is limiting requests. Try again later.'],
  [
    'a known fault of Notion’s server',
    'transient',
    { code: 'server_fault' },
    'A tool failed because of a known bug in Notion’s server. Try again, or rephrase your request.',
  ],
  [
    'another error of a tool',
    'transient',
    { code: 'tool_error', serverReason: displayText('Out of order', 60) },
    'mcp.notion.com is having problems and says: “Out of order”. Try again later.',
  ],
  [
    'an internal error without a text',
    'transient',
    { code: 'rpc_error', serverReason: displayText('', 60) },
    'mcp.notion.com is having problems and says: “rpc_error”. Try again later.',
  ],
  [
    'a challenge for scopes',
    'serverRejected',
    { code: 'insufficient_scope', scopes: ['pages', 'write'] },
    'The server asks for more access (pages, write) than was allowed. Reconnect the account to allow it.',
  ],
  [
    'a challenge that names no scopes',
    'serverRejected',
    { code: 'insufficient_scope' },
    'The server asks for more access than was allowed. Reconnect the account to allow it.',
  ],
  [
    'a missing permission',
    'serverRejected',
    { code: 'tool_error', serverReason: displayText('Insufficient permissions', 60) },
    'mcp.notion.com refused the request and says: “Insufficient permissions”. Try again.',
  ],
] as const satisfies [string, Failure['kind'], Partial<FailureDetails>, string][]) {
  test(`the details of a connection test say what is wrong after ${title}`, () => {
    const failure = new Failure(kind, { step: 'identity', host: 'mcp.notion.com', ...details });
    const text = connectionText({ ...passed, checks: [{ name: 'identity', tookMs: 3, failure }] });
    assert.ok(text.includes(`✗ Identify the account (3 ms): ${sentence}\n`), text);
  });
}
