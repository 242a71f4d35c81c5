import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { McpHttpServerDefinition, Uri } from 'vscode';
import { Log } from '../../../src/core/log.ts';
import { Secret } from '../../../src/core/secret.ts';
import { McpDefinitions } from '../../../src/editor/mcpServers.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import type { Grant } from '../../../src/grants/grant.ts';

const silent = new Log({ error: () => {}, warn: () => {}, info: () => {}, debug: () => {} });
const gateway = {
  urlFor: (id: string) => `http://127.0.0.1:4711/${id}/mcp`,
  secretFor: () => new Secret('the-secret'),
} as unknown as Gateway;

function grant(id: string, workspaceName: string): Grant {
  const serverNames = { handle: `notion-${workspaceName.toLowerCase()}`, title: `Notion – ${workspaceName}` };
  return { id, generation: 1, signedInAtMs: 1, label: id, serverNames } as Grant;
}

function offer(grants: Grant[]) {
  const state = { grants, isOffered: true, opened: 0, changes: 0 };
  const definitions = new McpDefinitions({
    grants: async () => state.grants,
    isOffered: () => state.isOffered,
    gateway: async () => {
      state.opened += 1;
      return gateway;
    },
    log: silent,
  });
  definitions.onDidChangeMcpServerDefinitions(() => {
    state.changes += 1;
  });
  return { definitions, state };
}

describe('MCP server definitions', () => {
  test('provided MCP server definitions contain neither secret nor port', async () => {
    const { definitions, state } = offer([grant('a', 'Wiki')]);
    const provided = await definitions.provideMcpServerDefinitions();
    assert.deepEqual(
      provided.map(({ label, uri, headers }) => ({ label, uri: uri.toString(), headers })),
      [{ label: 'notion-wiki', uri: 'http://127.0.0.1/a/mcp', headers: {} }],
    );
    assert.equal(state.opened, 0);
  });

  test('resolving an MCP server definition adds port and secret to a new definition, not to the given one', async () => {
    const { definitions } = offer([grant('a', 'Wiki')]);
    const stored = new McpHttpServerDefinition('notion-wiki', Uri.parse('http://127.0.0.1/a/mcp'));
    const resolved = await definitions.resolveMcpServerDefinition(stored);
    assert.notEqual(resolved, stored);
    assert.deepEqual(stored.headers, {});
    assert.equal(resolved.uri.toString(), 'http://127.0.0.1:4711/a/mcp');
    assert.deepEqual(resolved.headers, { Authorization: 'Bearer the-secret' });
  });

  test('the MCP server definition of a signed-out account cannot be resolved', async () => {
    const { definitions, state } = offer([]);
    const stored = new McpHttpServerDefinition('notion-wiki', Uri.parse('http://127.0.0.1/a/mcp'));
    await assert.rejects(definitions.resolveMcpServerDefinition(stored), /no longer signed in/);
    assert.equal(state.opened, 0);
  });

  test('the MCP server of an account is not offered before it has its name', async () => {
    const { serverNames: _, ...unnamed } = grant('a', 'Wiki');
    const { definitions } = offer([unnamed as Grant, grant('b', 'Notes')]);
    const provided = await definitions.provideMcpServerDefinitions();
    assert.deepEqual(
      provided.map(({ label }) => label),
      ['notion-notes'],
    );
  });

  test('no MCP server definitions are provided when the setting is off', async () => {
    const { definitions, state } = offer([grant('a', 'Wiki')]);
    state.isOffered = false;
    assert.deepEqual(await definitions.provideMcpServerDefinitions(), []);
  });

  test('MCP server definitions change with a sign-in or sign-out, and not with a renewal', async () => {
    const { definitions, state } = offer([grant('a', 'Wiki')]);
    await definitions.provideMcpServerDefinitions();
    state.grants = [{ ...grant('a', 'Wiki'), generation: 2 }];
    await definitions.refresh();
    assert.equal(state.changes, 0);
    state.grants = [grant('a', 'Wiki'), grant('b', 'Notes')];
    await definitions.refresh();
    assert.equal(state.changes, 1);
    await definitions.provideMcpServerDefinitions();
    state.grants = [];
    await definitions.refresh();
    assert.equal(state.changes, 2);
    await definitions.provideMcpServerDefinitions();
    state.grants = [grant('a', 'Wiki')];
    await definitions.refresh();
    assert.equal(state.changes, 3);
  });
});
