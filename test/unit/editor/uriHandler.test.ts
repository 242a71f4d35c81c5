import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Uri } from 'vscode';
import { Log } from '../../../src/core/log.ts';
import { CallbackUriHandler } from '../../../src/editor/uriHandler.ts';
import { PendingSignIns } from '../../../src/signIn/pending.ts';

function open() {
  const lines: string[] = [];
  const queries: string[] = [];
  const record = (line: string) => void lines.push(line);
  const log = new Log({ error: record, warn: record, info: record, debug: record });
  const handler = new CallbackUriHandler(async (query) => void queries.push(query), log);
  return { handler, lines, queries, log };
}

const link = (path: string, query: string) => ({ path, query }) as Uri;

test('the query of a link to /callback is passed on unchanged', async () => {
  const { handler, lines, queries } = open();
  await handler.handleUri(link('/callback', 'code=a%3Ab&state=c='));
  assert.deepEqual([queries, lines], [['code=a%3Ab&state=c='], []]);
});

test('links with another path are ignored, and noted once in the log however many come', async () => {
  const { handler, lines, queries } = open();
  for (let index = 0; index < 100; index++) {
    await handler.handleUri(link('/callback/', 'code=a&state=b'));
  }
  assert.deepEqual(queries, []);
  assert.equal(lines.length, 1);
});

test('of a link of 650 million characters only the length is used', async () => {
  const { log, lines } = open();
  const pending = new PendingSignIns(log);
  const handler = new CallbackUriHandler(async (query) => void (await pending.receive(query)), log);
  await handler.handleUri(link('/callback', { length: 650_000_000 } as string));
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0] ?? '', /state|code=/);
});
