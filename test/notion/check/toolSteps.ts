import { isObject, jsonObject } from '../../../src/core/json.ts';
import { withBearer } from '../../../src/http/bearer.ts';
import { discoverMethod } from '../../../src/mcp/revision.ts';
import { readIdentity } from '../../../src/notion/identity.ts';
import { callTool, mcpRequest } from '../../../src/notion/mcpClient.ts';
import { readToolAccess } from '../../../src/notion/toolAccess.ts';
import { type Check, type CheckedGrant, independently } from './check.ts';
import { type Exchange, resultOf } from './exchanges.ts';
import type { Findings } from './findings.ts';
import { type Expected, ListOf, MapOf, Matching, OneOf, Optional } from './shape.ts';

/** Calls tools that read who is connected and what is offered. The content of the workspace is not read. */
export async function checkTools(check: Check, { tokens: { accessToken } }: CheckedGrant): Promise<void> {
  const { exchanges, findings, serverUrl, signal, attempt } = check;
  const http = withBearer(exchanges.http, accessToken);
  // Finds out the server's revision, so that each later request is sent only once.
  const olderOrigins = new Set<string>();
  await independently(async () => {
    await mcpRequest(http, serverUrl, discoverMethod, {}, { signal, olderOrigins });
  });
  const earlier = exchanges.all.length;
  await independently(async () => {
    await attempt(() => readIdentity(http, serverUrl, { signal, olderOrigins }));
    const payload = payloadOf(exchanges.last);
    findings.compare('identity', wrappedIdentity, payload);
    if (payload?.self === undefined) {
      findings.compare('identity without self', identity, payload);
    }
  });
  for (const exchange of exchanges.all.slice(earlier)) {
    compareFailure(findings, exchange);
  }
  await independently(async () => {
    const { tools } = await mcpRequest(http, serverUrl, 'tools/list', {}, { signal, olderOrigins });
    checkToolNames(findings, Array.isArray(tools) ? tools : []);
    const { headers } = exchanges.last;
    const session = headers.get('mcp-session-id');
    findings.compare('event stream for one message', eventStream, { type: headers.get('content-type'), session });
  });
  await independently(async () => {
    await readToolAccess(http, serverUrl, { signal, olderOrigins });
    const access = exchanges.all.findLast(({ request }) => request.body?.includes('get-tool-access'));
    findings.compare('tool access', { current_tool_access: toolAccess }, access && payloadOf(access));
  });
  await independently(async () => {
    await callTool(http, serverUrl, 'notion-get-self', {}, { signal, olderOrigins });
    findings.compare('unknown tool', unknownTool, resultOf(exchanges.last));
  });
  await independently(async () => {
    await callTool(http, serverUrl, 'notion-get-users', { user_id: 'self' }, { signal, olderOrigins });
    findings.compare('users', users, payloadOf(exchanges.last));
  });
}

function compareFailure(findings: Findings, exchange: Exchange): void {
  const { status, headers, json } = exchange;
  if ([429, 503, 529].includes(status)) {
    const retryAfter = headers.get('retry-after');
    findings.compare('API error with Retry-After', apiError, { header: retryAfter, body: json });
  }
  const result = resultOf(exchange);
  if (result?.isError === true) {
    const text = payloadOf(exchange);
    if (text === undefined) {
      findings.compare('serialization fault', serializationFault, result);
    } else {
      findings.compare('rate limit of a tool', rateLimit, { structured: result.structuredContent, text });
    }
  }
}

function checkToolNames(findings: Findings, tools: readonly unknown[]): void {
  const names = tools.map((tool) => (isObject(tool) ? tool.name : undefined));
  const missing = toolNames.filter((name) => !names.includes(name));
  const shortened = toolNames.map((name) => name.replace('notion-', '')).filter((name) => names.includes(name));
  if (missing.length === 0) {
    findings.agrees('tool list');
  } else {
    const instead = shortened.length === 0 ? '' : ` but ${shortened.join(', ')}`;
    findings.differs('tool list', `no ${missing.join(', ')}${instead}. Came: ${names.length} tools`);
  }
}

/** The JSON in the one text block of a tool's result. */
function payloadOf(exchange: Exchange): Record<string, unknown> | undefined {
  const content = resultOf(exchange)?.content;
  const [block] = Array.isArray(content) && content.length === 1 ? content : [];
  return isObject(block) && typeof block.text === 'string' ? jsonObject(block.text) : undefined;
}

/** Tools that Notion offers on every plan. */
const toolNames = ['notion-search', 'notion-fetch', 'notion-get-tool-access', 'notion-create-pages'];

const toolAccess = new MapOf({
  status: new OneOf(
    ...['available', 'available_with_limit', 'plan_required', 'upgrade_required'],
    ...['full_version_required', 'not_enabled'],
  ),
});

const identity: Expected = {
  workspace: { id: 'string', name: 'string' },
  user: { id: 'string', name: 'string', type: new OneOf('person'), email: 'string' },
  current_tool_access: toolAccess,
};

const wrappedIdentity: Expected = {
  metadata: { type: new OneOf('self') },
  title: 'string',
  url: 'string',
  text: 'string',
  self: identity,
};

const eventStream: Expected = {
  type: new Matching(/^text\/event-stream\b/, 'text/event-stream'),
  session: new OneOf(null),
};

const unknownTool: Expected = {
  isError: new OneOf(true),
  content: new ListOf({ text: new Matching(/^MCP error -32602/, 'the code -32602') }),
};

const users: Expected = {
  results: new ListOf({ type: new OneOf('person'), id: 'string', name: 'string', email: new Optional('string') }),
  has_more: 'boolean',
};

const apiError: Expected = {
  header: new Matching(/^\d+$/, 'a number of seconds'),
  body: { object: new OneOf('error'), code: 'string', additional_data: { retry_after: 'string' } },
};

const serializationFault: Expected = {
  content: new ListOf({
    text: new Matching(/Expected (array|object), received string|`?undefined`?/, 'a known fault'),
  }),
};

const rateLimitError: Expected = {
  error: {
    code: new OneOf('rate_limited'),
    retry_after_seconds: new Optional('number'),
    rate_limit_reason: 'string',
  },
};
const rateLimit: Expected = { structured: rateLimitError, text: rateLimitError };
