import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { McpHttpServerDefinition, McpStdioServerDefinition, Uri } from 'vscode';
import type { BridgeCommand } from '../../../src/agents/bridgeCommand.ts';
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

const bridge: BridgeCommand = {
  command: '/agents/notion-mcp-bridge',
  args: ['--directory', '/journal'],
  env: { A: '1' },
};

function grant(id: string, workspaceName: string): Grant {
  const serverNames = { handle: `notion-${workspaceName.toLowerCase()}`, title: `Notion – ${workspaceName}` };
  return { id, generation: 1, signedInAtMs: 1, label: id, serverNames } as Grant;
}

function offer(grants: Grant[]) {
  const bridgeCommand = bridge as BridgeCommand | undefined;
  const state = { grants, isOffered: true, opened: 0, installed: 0, changes: 0, bridgeCommand };
  const definitions = new McpDefinitions({
    grants: async () => state.grants,
    isOffered: () => state.isOffered,
    gateway: async () => {
      state.opened += 1;
      return gateway;
    },
    bridgeCommand: async () => {
      state.installed += 1;
      return state.bridgeCommand;
    },
    log: silent,
  });
  definitions.onDidChangeMcpServerDefinitions(() => {
    state.changes += 1;
  });
  return { definitions, state };
}

describe('MCP server definitions', () => {
  test('a provided MCP server definition starts the bridge, and contains no secret, port or token', async () => {
    const { definitions, state } = offer([grant('a', 'Wiki')]);
    const provided = await definitions.provideMcpServerDefinitions();
    assert.ok(provided[0] instanceof McpStdioServerDefinition);
    // What the editor stores, in its own database and in files for its agent hosts.
    assert.deepEqual(JSON.parse(JSON.stringify(provided)), [
      {
        label: 'notion-wiki',
        command: '/agents/notion-mcp-bridge',
        args: ['--directory', '/journal', '--account', 'notion-wiki', '--agent', 'editor'],
        env: { A: '1' },
      },
    ]);
    assert.equal(state.opened, 0);
  });

  test('where the bridge cannot be started, provided MCP server definitions contain neither secret nor port', async () => {
    const { definitions, state } = offer([grant('a', 'Wiki')]);
    state.bridgeCommand = undefined;
    const provided = await definitions.provideMcpServerDefinitions();
    assert.deepEqual(
      provided.map((definition) => {
        assert.ok(definition instanceof McpHttpServerDefinition);
        const { label, uri, headers } = definition;
        return { label, uri: uri.toString(), headers };
      }),
      [{ label: 'notion-wiki', uri: 'http://127.0.0.1/a/mcp', headers: {} }],
    );
    assert.equal(state.opened, 0);
  });

  test('the bridge is not installed for a user without accounts, or who turned MCP servers off', async () => {
    const { definitions, state } = offer([]);
    assert.deepEqual(await definitions.provideMcpServerDefinitions(), []);
    state.grants = [grant('a', 'Wiki')];
    state.isOffered = false;
    assert.deepEqual(await definitions.provideMcpServerDefinitions(), []);
    assert.equal(state.installed, 0);
  });

  test('resolving an MCP server definition gives a new one of the gateway, with port and secret, and leaves the given one as it is', async () => {
    const { definitions, state } = offer([grant('a', 'Wiki')]);
    for (const bridgeCommand of [bridge, undefined]) {
      state.bridgeCommand = bridgeCommand;
      const [stored = assert.fail()] = await definitions.provideMcpServerDefinitions();
      const before = JSON.stringify(stored);
      const resolved = await definitions.resolveMcpServerDefinition(stored);
      assert.equal(JSON.stringify(stored), before);
      assert.equal(resolved.label, 'notion-wiki');
      assert.equal(resolved.uri.toString(), 'http://127.0.0.1:4711/a/mcp');
      assert.deepEqual(resolved.headers, { Authorization: 'Bearer the-secret' });
    }
  });

  test('an MCP server definition that an earlier version provided can be resolved', async () => {
    const { definitions } = offer([grant('a', 'Wiki')]);
    const stored = new McpHttpServerDefinition('notion-wiki', Uri.parse('http://127.0.0.1/a/mcp'));
    const resolved = await definitions.resolveMcpServerDefinition(stored);
    assert.equal(resolved.uri.toString(), 'http://127.0.0.1:4711/a/mcp');
    assert.deepEqual(stored.headers, {});
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

  test('turning the offer of MCP servers off or on changes their definitions', async () => {
    const { definitions, state } = offer([grant('a', 'Wiki')]);
    for (const [isOffered, count] of [
      [false, 1],
      [true, 2],
    ] as const) {
      await definitions.provideMcpServerDefinitions();
      state.isOffered = isOffered;
      await definitions.refresh();
      assert.equal(state.changes, count);
      assert.equal((await definitions.provideMcpServerDefinitions()).length, isOffered ? 1 : 0);
    }
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
