import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { ToolResult } from '../../../src/notion/mcpClient.ts';
import { type ToolErrorCode, toolErrorOf, toolFailure } from '../../../src/notion/toolErrors.ts';

const failed = (text: string, structured?: Record<string, unknown>): Omit<ToolResult, 'content'> => ({
  text,
  isError: true,
  ...(structured && { structured }),
});
const rateLimit = {
  error: { code: 'rate_limited', message: 'Slow down', retry_after_seconds: 7, rate_limit_reason: 'connection' },
};

test('a result of a tool that did not fail is not an error, whatever it contains', () => {
  assert.equal(toolErrorOf({ text: JSON.stringify(rateLimit), structured: rateLimit, isError: false }), undefined);
});

for (const [place, result] of Object.entries({
  // developers.notion.com/guides/mcp/rate-limits
  'structured content': failed('Slow down', rateLimit),
  'text as JSON, for clients that read only text': failed(JSON.stringify(rateLimit)),
  'text as JSON beside other structured content': failed(JSON.stringify(rateLimit), { request_id: 'r' }),
})) {
  test(`Notion’s error is recognized in ${place}, with the pause that it requests`, () => {
    assert.deepEqual(toolErrorOf(result), { code: 'rate_limited', message: 'Slow down', retryAfterMs: 7_000 });
  });
}

test('an error of Notion’s API in the text is recognized, quoted by the API’s client or not', () => {
  // makenotion/notion-mcp-server#112
  const error = { object: 'error', status: 503, code: 'service_unavailable', message: 'Try again later.' };
  const quoted = { name: 'APIResponseError', code: error.code, status: 503, headers: {}, body: JSON.stringify(error) };
  for (const json of [error, quoted]) {
    assert.deepEqual(toolErrorOf(failed(JSON.stringify(json))), {
      code: 'service_unavailable',
      message: 'Try again later.',
    });
  }
});

test('a code that Notion does not document is unknown, so that text from outside never becomes a code', () => {
  for (const code of ['no_such_code', 'toString', '__proto__', '', 'Rate_Limited']) {
    assert.equal(toolErrorOf(failed('', { error: { code } }))?.code, 'unknown', code);
  }
  for (const text of ['Something went wrong.', '', '{}', '[]', '{"error":7}', '{"code":429}']) {
    assert.equal(toolErrorOf(failed(text))?.code, 'unknown', text);
  }
});

test('an unknown tool, or arguments that it does not accept, is recognized by the text of the server’s SDK', () => {
  for (const text of [
    // openai/codex#34618
    'MCP error -32602: Tool notion-query-data-sources not found',
    'Tool notion-get-self not found',
    // modelcontextprotocol.io/specification/2025-06-18/server/tools
    'Unknown tool: notion-get-self',
  ]) {
    assert.equal(toolErrorOf(failed(text))?.code, 'unknownTool', text);
  }
  const text = 'MCP error -32602: Input validation error: Invalid arguments for tool notion-fetch';
  assert.equal(toolErrorOf(failed(text))?.code, 'invalidParams');
  assert.equal(toolErrorOf(failed('The page of the Tool x was not found'))?.code, 'unknown');
});

test('the three serialization errors of Notion’s server are recognized, and errors of the caller are not', () => {
  for (const text of [
    'MCP error -32602: [{"message": "Expected array, received string"}]',
    'Expected object, received string',
    'body.children should be defined, instead was `undefined`.',
    // anthropics/claude-code#57099
    'MCP error -32602: [{"message": "Invalid input: expected array, received string"}]',
  ]) {
    assert.equal(toolErrorOf(failed(text))?.code, 'serverFault', text);
    const structured = { error: { code: 'validation_error', message: text } };
    assert.equal(toolErrorOf(failed('', structured))?.code, 'serverFault', text);
  }
  for (const text of ['', 'Expected string, received array', 'Could not find page', 'page_id is undefined']) {
    assert.equal(toolErrorOf(failed(text))?.code, 'unknown', text);
  }
});

test('only a pause that is a number of seconds is taken over, up to a day', () => {
  const pause = (seconds: unknown) =>
    toolErrorOf(failed('', { error: { code: 'rate_limited', retry_after_seconds: seconds } }))?.retryAfterMs;
  assert.equal(pause(0), 0);
  assert.equal(pause(1.5), 1_500);
  assert.equal(pause(1e300), 24 * 60 * 60_000);
  for (const seconds of [-1, '5', null, undefined, [5], Number.NaN]) {
    assert.equal(pause(seconds), undefined, String(seconds));
  }
});

// developers.notion.com/reference/status-codes says which errors are temporary.
for (const [kind, codes] of Object.entries({
  transient: ['rate_limited', 'service_overload', 'conflict_error', 'internal_server_error', 'service_unavailable'],
  serverRejected: ['unauthorized', 'restricted_resource', 'object_not_found', 'validation_error', 'invalid_json'],
} satisfies Record<string, ToolErrorCode[]>)) {
  test(`${codes.join(', ')} are ${kind}`, () => {
    for (const code of codes) {
      const error = toolErrorOf(failed('', { error: { code, message: 'x' } })) ?? assert.fail();
      assert.equal(error.code, code);
      assert.equal(toolFailure(error, 'mcp.example', [new Secret('t')]).kind, kind, code);
    }
  });
}

test('a tool’s failure quotes the server without secrets and control characters, or else names the code', () => {
  const reason = (message: string) =>
    toolFailure({ code: 'unknown', message }, 'mcp.example', [new Secret('user:grant:access')]).details.serverReason;
  assert.equal(reason('No\u202e\nuser:grant:access [here](command:x)'), 'No [secret] [here] (command:x)');
  assert.equal(reason('\u200b'), 'unknown');
});
