import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureCode } from '../../../src/oauth/errors.ts';
import { canonicalResource, parseServerUrl } from '../../../src/oauth/serverUrl.ts';
import { fails } from './failing.ts';

const invalidUrls: [text: string, code: FailureCode][] = [
  ['', 'server_url_empty'],
  ['   ', 'server_url_empty'],
  ['mcp.notion.com/mcp', 'server_url_no_scheme'],
  ['localhost:3000/mcp', 'server_url_no_scheme'],
  ['http://mcp.notion.com/mcp', 'server_url_insecure'],
  ['http://127.0.0.1.example.com/mcp', 'server_url_insecure'],
  ['ftp://mcp.notion.com/mcp', 'server_url_insecure'],
  ['https://ada:secret@mcp.notion.com/mcp', 'server_url_credentials'],
  ['https://ada@mcp.notion.com/mcp', 'server_url_credentials'],
  ['https://mcp.notion.com/mcp?x=1', 'server_url_query'],
  ['https://mcp.notion.com/mcp?', 'server_url_query'],
  ['https://mcp.notion.com/mcp#', 'server_url_fragment'],
  ['https://mcp.notion.com/mcp#top', 'server_url_fragment'],
  ['https://mcp.notion.com/mcp/', 'server_url_trailing_slash'],
  ['https://mcp.notion.com/sse', 'server_url_sse'],
  ['https://mcp.notion.com/sse/', 'server_url_sse'],
  ['https://', 'server_url_invalid'],
  ['https://mcp.notion.com/a b', 'server_url_invalid'],
  ['https://mcp.notion.com\\mcp', 'server_url_invalid'],
  ['https://[::1/mcp', 'server_url_invalid'],
];

for (const [text, code] of invalidUrls) {
  test(`A19: the server URL ${JSON.stringify(text)} is rejected as ${code}`, async () => {
    await fails(() => parseServerUrl(text), 'misconfigured', { step: 'discovery', code });
  });
}

for (const text of [
  'https://mcp.notion.com/mcp',
  'https://mcp.notion.com',
  'https://mcp.notion.com/',
  'http://127.0.0.1:3000/mcp',
  'http://127.0.0.2:3000/mcp',
  'http://localhost:3000/mcp',
  'http://[::1]:3000/mcp',
  ' https://mcp.notion.com/mcp\n',
]) {
  test(`the server URL ${JSON.stringify(text)} is accepted`, () => {
    assert.equal(parseServerUrl(text).href, new URL(text.trim()).href);
  });
}

test('A13: the canonical resource has no trailing slash, even without a path', () => {
  assert.equal(canonicalResource(new URL('https://mcp.notion.com/mcp')), 'https://mcp.notion.com/mcp');
  assert.equal(canonicalResource(new URL('HTTPS://MCP.Notion.com:443/')), 'https://mcp.notion.com');
});
