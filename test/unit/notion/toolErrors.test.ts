import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSerializationFault } from '../../../src/notion/toolErrors.ts';

test('the three serialization errors of Notion’s server are recognized, and errors of the caller are not', () => {
  for (const text of [
    'MCP error -32602: [{"message": "Expected array, received string"}]',
    'Expected object, received string',
    'body.children should be defined, instead was `undefined`.',
  ]) {
    assert.ok(isSerializationFault(text), text);
  }
  for (const text of ['', 'Expected string, received array', 'Could not find page', 'page_id is undefined']) {
    assert.ok(!isSerializationFault(text), text);
  }
});
