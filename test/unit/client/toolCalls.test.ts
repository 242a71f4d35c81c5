import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeIn, type ReceivedCall, type Respond, result, startClient, toolError } from './clientUnderTest.ts';

const read = 'notion-fetch';
const write = 'notion-create-pages';
const limit = { code: 'rate_limited', message: 'Rate limited.', retry_after_seconds: 7 };
const fault = result('Expected array, received string', { isError: true });
const done = result({ ok: true });

/** Responds to the first calls of the tools as listed, and with a result afterwards. */
const first =
  (...responses: ReturnType<Respond>[]): Respond =>
  ({ count }) =>
    count < responses.length ? responses[count] : done;

const toolsCalled = (received: ReceivedCall[]) => received.map(({ tool }) => tool);

describe('a call of another extension', () => {
  test('a tool’s result has its text, its JSON and its blocks', async (t) => {
    const { call } = await startClient(t, () => done);
    assert.deepEqual(await call(read), {
      ok: { text: '{"ok":true}', json: { ok: true }, content: [{ type: 'text', text: '{"ok":true}' }] },
    });
  });

  for (const tool of [read, write]) {
    test(`a rejected token is renewed and the call of ${tool} sent again, as the server has not carried it out`, async (t) => {
      const { call, received } = await startClient(t, ({ token }) => (token.endsWith('+') ? done : { status: 401 }));
      assert.equal(codeIn(await call(tool)), 'ok');
      assert.deepEqual(
        received.map(({ token }) => token),
        ['ada:grant:token', 'ada:grant:token+'],
      );
    });

    test(`a limit of ${tool} is waited for, for as long as Notion says, and the call is sent again`, async (t) => {
      const { call, received, clock } = await startClient(t, first(toolError(limit), toolError(limit)));
      assert.equal(codeIn(await call(tool)), 'ok');
      assert.equal(received.length, 3);
      assert.deepEqual(clock.pauses, [7_000, 7_000]);
    });

    test(`an HTTP limit of ${tool} that is longer than the gateway waits is waited for, too`, async (t) => {
      const { call, received } = await startClient(t, first({ status: 429, headers: { 'retry-after': '12' } }));
      assert.equal(codeIn(await call(tool)), 'ok');
      assert.equal(received.length, 2);
    });

    test(`a limit of ${tool} that outlasts the caller’s time is told at once, with its length`, async (t) => {
      const { call, received } = await startClient(t, () => toolError({ ...limit, retry_after_seconds: 40 }));
      assert.deepEqual(await call(tool, {}, { timeoutMs: 30_000 }), {
        error: { code: 'rateLimited', message: 'rateLimited tool', retryAfterMs: 40_000 },
      });
      assert.equal(received.length, 1);
    });
  }

  test('a mistake of Notion’s server is repeated once for a call that only reads', async (t) => {
    const { call, received } = await startClient(t, first(fault));
    assert.equal(codeIn(await call(read)), 'ok');
    assert.equal(received.length, 2);
  });

  test('a mistake of Notion’s server that stays is told after one repetition', async (t) => {
    const { call, received } = await startClient(t, () => fault);
    assert.equal(codeIn(await call(read)), 'serverFault');
    assert.equal(received.length, 2);
  });

  for (const [what, response] of Object.entries<ReturnType<Respond>>({
    'a mistake of Notion’s server': fault,
    'an overload': toolError({ code: 'service_overload', message: '', retry_after_seconds: 1 }),
    'an internal error of the tool': toolError({ code: 'internal_server_error', message: 'x' }),
    'a status 500': { status: 500 },
    'a status 503 with Retry-After': { status: 503, headers: { 'retry-after': '1' } },
    'a status 529 with Retry-After': { status: 529, headers: { 'retry-after': '1' } },
    'an internal error of JSON-RPC': { rpc: { error: { code: -32603, message: 'x' } } },
    'an empty response': {},
    'a response that breaks off': { body: '{"jsonrpc":"2.0","id":1,"resu' },
    'events without the response': { headers: { 'content-type': 'text/event-stream' }, body: ': hello\n\n' },
  })) {
    test(`a call that changes something is never sent twice after ${what}, and its outcome is unknown or limited`, async (t) => {
      const { call, received } = await startClient(t, () => response);
      assert.match(codeIn(await call(write)), /^(outcomeUnknown|rateLimited)$/);
      assert.deepEqual(
        toolsCalled(received).filter((tool) => tool === write),
        [write],
      );
    });
  }

  test('a connection that breaks while a call changes something leaves its outcome unknown', async (t) => {
    const { call, server } = await startClient(t, () => done);
    server.routes['POST /mcp'] = (_received, response) => void response.destroy();
    assert.equal(codeIn(await call(write)), 'outcomeUnknown');
    assert.equal(codeIn(await call(read)), 'offline');
  });

  for (const [what, response, code] of [
    ['object_not_found', toolError({ code: 'object_not_found', message: 'x' }), 'notFound'],
    ['validation_error', toolError({ code: 'validation_error', message: 'x' }), 'validation'],
    ['restricted_resource', toolError({ code: 'restricted_resource', message: 'x' }), 'accessDenied'],
    ['conflict_error', toolError({ code: 'conflict_error', message: 'x' }), 'serverFault'],
    ['invalid arguments', { rpc: { error: { code: -32602, message: 'Invalid arguments for tool' } } }, 'validation'],
    [
      'a status 403 of a challenge',
      { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } },
      'accessDenied',
    ],
  ] as const) {
    test(`a call that changes something and is refused with ${what} has the code ${code}`, async (t) => {
      const { call } = await startClient(t, ({ tool }) => (tool === write ? response : toolError({ code: 'x' })));
      assert.equal(codeIn(await call(write)), code);
    });
  }

  test('a token that stays rejected after its renewal denies access', async (t) => {
    const { call } = await startClient(t, () => ({ status: 401 }));
    assert.equal(codeIn(await call(read)), 'accessDenied');
  });

  test('an account that lacks scopes learns it from the call', async (t) => {
    const headers = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="pages:write"' };
    const { call, failures } = await startClient(t, () => ({ status: 403, headers }));
    await call(read);
    assert.deepEqual(failures[0]?.details.scopes, ['pages:write']);
  });

  const access = (status: string) =>
    result({ current_tool_access: { query_data_sources: { status, upgrade_url: 'https://www.notion.so/plans' } } });
  for (const [what, response] of Object.entries<ReturnType<Respond>>({
    'the server does not know': result('MCP error -32602: Tool notion-query-data-sources not found', { isError: true }),
    'JSON-RPC does not know': { rpc: { error: { code: -32602, message: 'Unknown tool: x' } } },
    'the plan does not include': toolError({ code: 'restricted_resource', message: 'Upgrade.' }),
  })) {
    test(`a tool that ${what} is unavailable, with the link that Notion gives`, async (t) => {
      const { call } = await startClient(t, ({ tool }) =>
        tool === 'notion-get-tool-access' ? access('upgrade_required') : response,
      );
      assert.deepEqual(await call('notion-query-data-sources'), {
        error: {
          code: 'toolUnavailable',
          message: 'toolUnavailable toolUnavailable',
          link: 'https://www.notion.so/plans',
        },
      });
    });
  }

  test('a tool that refuses although the plan includes it is not unavailable', async (t) => {
    const { call } = await startClient(t, ({ tool }) =>
      tool === 'notion-get-tool-access'
        ? access('available')
        : toolError({ code: 'restricted_resource', message: 'x' }),
    );
    assert.equal(codeIn(await call('notion-query-data-sources')), 'accessDenied');
  });

  test('the list of tools is read to its end', async (t) => {
    const { client } = await startClient(t, ({ count }) => ({
      rpc: {
        result: count === 0 ? { tools: [{ name: 'a' }, {}], nextCursor: 'next' } : { tools: [{ name: 'b', x: 1 }] },
      },
    }));
    assert.deepEqual(await client.listTools({ accessToken: 'ada:grant:token' }), {
      ok: [{ name: 'a' }, { name: 'b', x: 1 }],
    });
  });
});
