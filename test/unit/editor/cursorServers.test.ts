import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursor } from './vscode.ts';

const { cursorServers } = await import('../../../src/editor/cursorServers.ts');

test('Cursor’s API gets the name, command, arguments and environment of a server, as its documentation has them', (t) => {
  const calls: unknown[] = [];
  // Stands in for Cursor, which cannot be run here: the signatures of cursor.com/docs/extension-api.
  cursor.mcp = {
    registerServer: (config: unknown) => void calls.push(config),
    unregisterServer: (name: unknown) => void calls.push(name),
  };
  t.after(() => delete cursor.mcp);
  const registry = cursorServers() ?? assert.fail();
  assert.equal(registry.agent, 'cursor');
  registry.register('notion-wiki', { command: '/l', args: ['--account', 'notion-wiki'], env: { A: '1' } });
  registry.unregister('notion-wiki');
  const server = { command: '/l', args: ['--account', 'notion-wiki'], env: { A: '1' } };
  assert.deepEqual(calls, [{ name: 'notion-wiki', server }, 'notion-wiki']);
});

test('an editor that lacks one of Cursor’s functions is not taken for Cursor', (t) => {
  t.after(() => delete cursor.mcp);
  for (const mcp of [undefined, {}, { registerServer: () => undefined }, { registerServer: 1, unregisterServer: 1 }]) {
    Object.assign(cursor, { mcp });
    assert.equal(cursorServers(), undefined);
  }
});
