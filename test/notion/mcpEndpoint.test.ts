import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { apiError } from './faults.ts';
import { defaultProfile, type IdentityFailure } from './profile.ts';
import { type NotionServer, startNotionServer } from './server.ts';
import { type Json, ToolClient } from './toolClient.ts';

describe('the MCP endpoint of the Notion-shaped server', () => {
  let notion: NotionServer;
  let client: ToolClient;

  before(async () => {
    notion = await startNotionServer({ version: 'today' });
    client = await ToolClient.signIn(notion);
  });
  after(() => notion.close());
  beforeEach(() => {
    Object.assign(notion.profile, defaultProfile);
    notion.faults.clear();
  });

  test('the MCP endpoint responds to a single request with an event stream and without a session', async () => {
    const response = await client.fetch({ method: 'ping' });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.equal(response.headers.get('mcp-session-id'), null);
    assert.match(await response.text(), /^event: message\ndata: \{.*\}\n\n$/);
    assert.equal((await client.fetch()).status, 405);
  });

  test('a web page can read the responses, unless the profile refuses its origin at the MCP endpoint', async () => {
    const origin = 'https://page.example';
    const allowed = (response: Response) => response.headers.get('access-control-allow-origin');
    for (const path of ['/mcp', '/register', '/token']) {
      const preflight = await fetch(new URL(path, notion.mcpUrl), { method: 'OPTIONS', headers: { origin } });
      assert.deepEqual([preflight.status, allowed(preflight)], [204, origin]);
    }
    const response = await client.fetch({ method: 'ping' }, { origin });
    assert.deepEqual([response.status, allowed(response)], [200, origin]);
    notion.profile.origins = 'refused';
    const refused = await client.fetch({ method: 'ping' }, { origin });
    assert.equal(refused.status, 403);
    assert.deepEqual(await refused.json(), {
      jsonrpc: '2.0',
      error: { code: -32_000, message: 'Invalid Origin: page.example' },
      id: null,
    });
    assert.equal((await client.fetch({ method: 'ping' })).status, 200);
  });

  test('the tools have Notion’s names, of which two lose their prefix for OpenAI’s clients', async () => {
    const names = await client.toolNames();
    assert.deepEqual(
      names.filter((name) => !name.startsWith('notion-')),
      [],
    );
    for (const name of ['notion-search', 'notion-fetch', 'notion-get-tool-access', 'notion-get-users']) {
      assert.ok(names.includes(name));
    }
    notion.profile.toolNames = 'openAi';
    const shortened = await client.toolNames();
    assert.deepEqual(
      shortened.filter((name) => !name.startsWith('notion-')),
      ['search', 'fetch'],
    );
    assert.equal(shortened.length, names.length);
    assert.deepEqual((await client.call('fetch', { id: 'self' })).metadata, { type: 'self' });
  });

  test('the tools that change nothing are annotated as such only where the profile says so', async () => {
    const readers = async () => {
      const response = await client.fetch({ method: 'tools/list' });
      const [, message = ''] = /^data: (.*)$/m.exec(await response.text()) ?? [];
      const { tools } = JSON.parse(message).result as { tools: { name: string; annotations?: object }[] };
      return tools.filter(({ annotations }) => annotations !== undefined).map(({ name }) => name);
    };
    assert.deepEqual(await readers(), []);
    notion.profile.readOnlyHints = true;
    assert.deepEqual((await readers()).sort(), [
      'notion-fetch',
      'notion-get-async-task',
      'notion-get-comments',
      'notion-get-tool-access',
      'notion-get-users',
      'notion-query-data-sources',
      'notion-search',
    ]);
  });

  test('an unknown tool, such as notion-get-self, is the error of a tool', async () => {
    const { text, isError } = await client.result('notion-get-self');
    assert.deepEqual([isError, text], [true, 'MCP error -32602: Tool notion-get-self not found']);
  });

  test('notion-fetch self gives the identity in the member self of one text block of JSON', async () => {
    assert.deepEqual(await client.call('notion-fetch', { id: 'self' }), {
      metadata: { type: 'self' },
      title: '',
      url: '',
      text: '',
      self: {
        workspace: { id: 'workspace-wiki', name: 'Engineering Wiki' },
        user: { id: 'user-ada', name: 'Ada Lovelace', type: 'person', email: 'ada@example.com' },
        current_tool_access: notion.directory.toolAccess,
      },
    });
  });

  test('a profile can give the identity alone and without an e-mail address', async () => {
    Object.assign(notion.profile, { identity: 'bare', email: false });
    const identity = await client.call('notion-fetch', { id: 'self' });
    assert.deepEqual(identity.workspace, { id: 'workspace-wiki', name: 'Engineering Wiki' });
    assert.deepEqual(identity.user, { id: 'user-ada', name: 'Ada Lovelace', type: 'person' });
  });

  test('a profile lets identity calls fail in every known way, for some calls or for all', async () => {
    const outcome = async (): Promise<unknown> => {
      const response = await client.fetch({
        method: 'tools/call',
        params: { name: 'notion-fetch', arguments: { id: 'self' } },
      });
      if (response.status !== 200) {
        return response.status;
      }
      const event = JSON.parse((await response.text()).split('data: ')[1] ?? '') as {
        result: { isError?: boolean; content: { text: string }[] };
      };
      return event.result.isError === true ? event.result.content[0]?.text : 'identity';
    };
    const failures: [IdentityFailure['as'], unknown][] = [
      ['unauthorized', 401],
      ['rateLimited', 429],
      ['unavailable', 503],
      ['serializationFault', 'Expected array, received string'],
    ];
    for (const [as, expected] of failures) {
      notion.profile.identityFailure = { as, times: 1 };
      assert.equal(await outcome(), expected);
      assert.equal(await outcome(), 'identity');
    }
    notion.profile.identityFailure = { as: 'unavailable', times: Number.POSITIVE_INFINITY };
    assert.deepEqual([await outcome(), await outcome()], [503, 503]);
    await client.call('notion-search', { query: 'engine' });
  });

  test('the rate limit of a tool is in structuredContent.error and as the same JSON in the text', async () => {
    notion.profile.identityFailure = { as: 'toolRateLimit', times: 1 };
    const { message, ...error } = await client.error('notion-fetch', { id: 'self' });
    assert.equal(typeof message, 'string');
    assert.deepEqual(error, {
      code: 'rate_limited',
      retry_after_seconds: 7,
      rate_limit_reason: 'public_api_request_rate_limit',
    });
  });

  test('HTTP 429, 529 and 503 carry Retry-After, and repeat it in the body', async () => {
    const codes: unknown[] = [];
    for (const status of [429, 529, 503] as const) {
      notion.fault({ path: '/mcp', times: 1 }, apiError(status, 3));
      const response = await client.fetch({ method: 'ping' });
      assert.deepEqual([response.status, response.headers.get('retry-after')], [status, '3']);
      const body = (await response.json()) as { code: string; additional_data: Json };
      assert.equal(body.additional_data.retry_after, '3');
      codes.push(body.code);
    }
    assert.deepEqual(codes, ['rate_limited', 'service_overload', 'service_unavailable']);
  });

  test('notion-get-tool-access gives the map of base names, or the part of it that is asked for', async () => {
    const { current_tool_access: all } = (await client.call('notion-get-tool-access')) as { current_tool_access: Json };
    assert.deepEqual(
      Object.keys(all).sort(),
      (await client.toolNames()).map((name) => name.replace('notion-', '').replaceAll('-', '_')).sort(),
    );
    assert.equal((all.query_data_sources as Json).status, 'available_with_limit');
    const part = await client.call('notion-get-tool-access', { tool_names: ['search', 'ai_search'] });
    assert.deepEqual(part, { current_tool_access: { search: { status: 'available' } } });
    assert.deepEqual(await client.call('notion-get-tool-access', { tool_names: [] }), { current_tool_access: {} });
  });
});
