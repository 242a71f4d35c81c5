import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessTo, readToolAccess } from '../../../src/notion/toolAccess.ts';
import { fails } from '../oauth/failing.ts';
import { startToolServer, toolError, toolResult } from './toolServer.ts';

// Statuses, links and restricted parameters as in developers.notion.com/guides/mcp/mcp-supported-tools.
const current_tool_access = {
  fetch: { status: 'available' },
  query_data_sources: { status: 'available_with_limit', upgrade_url: 'https://www.notion.com/upgrade' },
  query_multiple_data_sources: { status: 'full_version_required', full_version_url: 'https://www.notion.com/full' },
  query_meeting_notes: {
    status: 'plan_required',
    landing_page_url: 'https://www.notion.com/plans?from=mcp',
    landing_page_action: 'start_trial',
  },
  ai_search: { status: 'upgrade_required', restricted_parameters: { 'filters.title_only': 'Needs Business' } },
  // Reported by other clients.
  query_database_view: { status: 'limited_free_trial' },
};

/** The access of the account at a server whose `notion-get-tool-access` returns this map. */
async function accessOf(t: Parameters<typeof startToolServer>[0], map: unknown) {
  const { read } = await startToolServer(t, { 'notion-get-tool-access': toolResult({ current_tool_access: map }) });
  return read(readToolAccess);
}

for (const [source, tool, result] of [
  ['the tool for it', 'notion-get-tool-access', toolResult({ current_tool_access })],
  ['the tool for it without prefix', 'get-tool-access', toolResult({ current_tool_access })],
  ['structured content', 'notion-get-tool-access', toolResult('', { structuredContent: { current_tool_access } })],
  ['the member self of notion-fetch', 'notion-fetch', toolResult({ self: { current_tool_access } })],
  ['notion-fetch without the member self', 'notion-fetch', toolResult({ current_tool_access })],
  ['fetch', 'fetch', toolResult({ self: { current_tool_access } })],
] as const) {
  test(`tool access is read from ${source}`, async (t) => {
    const { calls, read } = await startToolServer(t, { [tool]: result });
    const access = await read(readToolAccess);
    assert.deepEqual(accessTo(access, 'notion-fetch'), { status: 'available', restrictedParameters: [] });
    assert.deepEqual(calls.at(-1), [tool, tool.endsWith('fetch') ? { id: 'self' } : {}]);
  });
}

test('the access to a tool is found by its listed name, with and without prefix', async (t) => {
  const access = await accessOf(t, current_tool_access);
  for (const tool of ['notion-query-data-sources', 'notion_query_data_sources', 'query-data-sources']) {
    assert.equal(accessTo(access, tool)?.status, 'available_with_limit', tool);
  }
  const listed = await accessOf(t, { 'notion-query-data-sources': { status: 'available' } });
  assert.equal(accessTo(listed, 'notion-query-data-sources')?.status, 'available');
});

test('an access comes with its status as Notion named it, its link and its restricted parameters', async (t) => {
  const access = await accessOf(t, current_tool_access);
  assert.deepEqual(
    ['data-sources', 'multiple-data-sources', 'meeting-notes', 'database-view'].map((name) => {
      const { status, link } = accessTo(access, `notion-query-${name}`) ?? assert.fail(name);
      return [status, link];
    }),
    [
      ['available_with_limit', 'https://www.notion.com/upgrade'],
      ['full_version_required', 'https://www.notion.com/full'],
      ['plan_required', 'https://www.notion.com/plans?from=mcp'],
      ['limited_free_trial', undefined],
    ],
  );
  assert.deepEqual(accessTo(access, 'notion-ai-search'), {
    status: 'upgrade_required',
    restrictedParameters: ['filters.title_only'],
  });
});

test('search is available where AI search is, because Notion then omits it', async (t) => {
  const search = async (map: object) => accessTo(await accessOf(t, map), 'notion-search')?.status;
  assert.equal(await search({ ai_search: { status: 'available' } }), 'available');
  assert.equal(await search({ ai_search: { status: 'plan_required' } }), undefined);
  assert.equal(await search({ ai_search: { status: 'available' }, search: { status: 'not_enabled' } }), 'not_enabled');
});

test('Notion says nothing about a tool that is missing or has no status', async (t) => {
  const access = await accessOf(t, {
    fetch: {},
    create_pages: null,
    move_pages: { status: 7 },
    get_users: 'available',
  });
  assert.deepEqual([...access], []);
  const { read } = await startToolServer(t, {});
  assert.deepEqual([...(await read(readToolAccess))], []);
});

test('a link is an https URL that can be shown as it is', async (t) => {
  for (const link of [
    'http://www.notion.com/upgrade',
    'command:workbench.action.quit',
    'javascript:alert(1)',
    'https://',
    'notion.com',
    'https://notion.com@evil.example/',
    'https://:secret@evil.example/',
    'https://evil.example/$(bug)',
    'https://evil.example/[a](b)',
    `https://evil.example/${'a'.repeat(500)}`,
    7,
    null,
  ]) {
    const access = await accessOf(t, { fetch: { status: 'available', upgrade_url: link } });
    assert.equal(accessTo(access, 'fetch')?.link, undefined, String(link));
  }
  const access = await accessOf(t, { fetch: { status: 'x', upgrade_url: 'https://bücher.example/a b\u202e' } });
  assert.equal(accessTo(access, 'fetch')?.link, 'https://xn--bcher-kva.example/a%20b%E2%80%AE');
});

test('tool access fails with the tool’s error if Notion’s tool fails, without a call of another tool', async (t) => {
  const { calls, read } = await startToolServer(t, {
    'notion-get-tool-access': toolError({ code: 'service_overload', retry_after_seconds: 30 }),
  });
  await fails(() => read(readToolAccess), 'transient', { code: 'rate_limited', retryAfterMs: 30_000 });
  assert.equal(calls.length, 1);
});
