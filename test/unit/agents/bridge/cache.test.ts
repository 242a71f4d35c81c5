import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ServerCache } from '../../../../src/agents/bridge/cache.ts';

function pathFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'cache-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'agents', '0123456789abcdef.cache');
}

async function loaded(path: string): Promise<ServerCache> {
  const cache = new ServerCache(path);
  await cache.load();
  return cache;
}

const tools = { tools: [{ name: 'notion-fetch' }] };

test('what the server said is known to the next bridge', async (t) => {
  const path = pathFor(t);
  await (await loaded(path)).set('tools/list', tools);
  const cache = await loaded(path);
  assert.deepEqual(cache.get('tools/list'), tools);
  assert.equal(cache.get('initialize'), undefined);
});

test('the file and its directory are their user’s alone, and nothing else lies there', {
  skip: process.platform === 'win32',
}, async (t) => {
  const path = pathFor(t);
  await (await loaded(path)).set('tools/list', tools);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(dirname(path)), ['0123456789abcdef.cache']);
});

test('the title, which names the workspace, is kept neither of initialize nor of server/discover', async (t) => {
  const path = pathFor(t);
  const cache = await loaded(path);
  const serverInfo = { name: 'Notion MCP', title: 'Engineering Wiki', version: '1' };
  await cache.set('initialize', { protocolVersion: '2025-06-18', serverInfo });
  const _meta = { 'io.modelcontextprotocol/serverInfo': serverInfo, other: 1 };
  await cache.set('server/discover', { supportedVersions: ['2026-07-28'], serverInfo, _meta });
  assert.ok(!readFileSync(path, 'utf8').includes('Engineering Wiki'));
  const untitled = { name: 'Notion MCP', version: '1' };
  assert.deepEqual(cache.get('initialize')?.serverInfo, untitled);
  assert.deepEqual(cache.get('server/discover')?._meta, { 'io.modelcontextprotocol/serverInfo': untitled, other: 1 });
});

for (const text of ['', '{', '[]', 'null', '{"tools/list":1}', '{"tools/list":{"tools"']) {
  test(`a damaged file (${JSON.stringify(text)}) counts as empty, and is replaced`, async (t) => {
    const path = pathFor(t);
    await (await loaded(path)).set('initialize', { x: 1 });
    writeFileSync(path, text);
    const cache = await loaded(path);
    assert.equal(cache.get('tools/list'), undefined);
    await cache.set('tools/list', tools);
    assert.deepEqual((await loaded(path)).get('tools/list'), tools);
  });
}

test('of results that arrive together the last ones are kept', async (t) => {
  const path = pathFor(t);
  const cache = await loaded(path);
  const listOf = (count: number) => ({
    tools: Array.from({ length: count }, (_, number) => ({ name: `tool-${number}` })),
  });
  // Shorter and shorter, so that a write that overtakes another one is noticed.
  const counts = [20_000, 5_000, 1_000, 100, 1];
  await Promise.all([
    ...counts.map((count) => cache.set('tools/list', listOf(count))),
    cache.set('initialize', { a: 1 }),
  ]);
  const next = await loaded(path);
  assert.deepEqual(next.get('tools/list'), listOf(1));
  assert.deepEqual(next.get('initialize'), { a: 1 });
});

test('a result that was known is not written again', async (t) => {
  const path = pathFor(t);
  const cache = await loaded(path);
  await cache.set('tools/list', tools);
  rmSync(path);
  await cache.set('tools/list', tools);
  assert.deepEqual(readdirSync(dirname(path)), []);
});

test('a directory that cannot be written to does not matter to this bridge', {
  skip: process.getuid?.() === 0,
}, async (t) => {
  const path = pathFor(t);
  chmodSync(dirname(dirname(path)), 0o500);
  const cache = await loaded(path);
  await cache.set('tools/list', tools);
  assert.deepEqual(cache.get('tools/list'), tools);
});

test('a file in the place of the directory does not matter to this bridge', async (t) => {
  const path = pathFor(t);
  writeFileSync(dirname(path), '');
  const cache = await loaded(path);
  await cache.set('tools/list', tools);
  assert.deepEqual(cache.get('tools/list'), tools);
});
