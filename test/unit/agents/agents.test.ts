import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAgents } from '../../../src/agents/agents.ts';
import { cachePath } from '../../../src/agents/cachePath.ts';
import type { Consent } from '../../../src/agents/consent.ts';
import type { AgentsParts } from '../../../src/agents/contract.ts';
import { createAgents as none } from '../../../src/agents/noAgents.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { waitInFolder } from '../../e2e/driver/waitInFolder.ts';
import { FakeClock } from '../fakeClock.ts';
import { DocumentedCursor } from './configuration/documentedCursor.ts';
import { grantOf, temporaryFolder } from './listenerUnderTest.ts';

test('the bridge is installed once in a window, when its command is first needed', async (t) => {
  const { agents, home } = window(t);
  assert.ok(!existsSync(join(home, 'agents')));
  const first = await agents.bridgeCommand();
  assert.ok(existsSync(first?.command ?? ''));
  rmSync(join(home, 'agents'), { recursive: true });
  assert.equal(await agents.bridgeCommand(), first);
  assert.ok(!existsSync(join(home, 'agents')));
});

test('where the bridge cannot be installed there is no command, and the log says why', async (t) => {
  const { agents, home, logged } = window(t);
  writeFileSync(join(home, 'agents'), 'a file in the place of the folder');
  assert.equal(await agents.bridgeCommand(), undefined);
  assert.match(logged[0] ?? '', /could not be installed.*EEXIST/);
});

test('there is no command on the user’s side of a remote window, and the log says why once', async (t) => {
  const { agents, home, logged } = window(t, { host: { host: 'ui', remote: true } });
  for (let count = 0; count < 2; count += 1) {
    assert.equal(await agents.bridgeCommand(), undefined);
  }
  assert.match(logged.join('\n'), /^.*they run on the remote side, and this extension does not.*$/);
  assert.ok(!existsSync(join(home, 'agents')));
});

for (const [name, host] of Object.entries({
  'a local window': { host: 'ui', remote: false },
  'the remote side of a window': { host: 'workspace', remote: true },
} as const)) {
  test(`there is a command in ${name}`, async (t) => {
    assert.ok(await window(t, { host }).agents.bridgeCommand());
  });
}

test('a sign-out removes what bridges keep of the account, and nothing else', async (t) => {
  const { agents, directory, home } = window(t);
  mkdirSync(join(home, 'agents'));
  const paths = await Promise.all(
    ['ada', 'grace', 'joan'].map((name) => cachePath(directory, { handle: `notion-${name}`, agent: 'editor' })),
  );
  for (const path of paths) {
    writeFileSync(path, '{}');
  }
  // The account of joan was merged with another one, which has its MCP server now.
  const merged = { ...grantOf('joan'), id: 'other' };
  await agents.forget([grantOf('ada'), grantOf('joan')], [grantOf('grace'), merged]);
  assert.deepEqual(paths.map(existsSync), [false, true, true]);
});

for (const [what, withdraw] of [
  ['denies an agent', (consent: Consent) => consent.deny('notion-wiki', 'codex')],
  ['disconnects an agent', (consent: Consent) => consent.forget('notion-wiki', 'codex')],
] as const) {
  test(`when the user ${what}, what its bridge keeps of the account is removed, and that of no other`, async (t) => {
    const { agents, directory, home } = window(t, { accounts: () => ['wiki', 'docs'].map(grantOf) });
    const { consent } = agents;
    const paths = new Map<string, string>();
    for (const [handle, agent] of [
      ['notion-wiki', 'codex'],
      ['notion-wiki', 'claude-code'],
      ['notion-wiki', 'editor'],
      ['notion-docs', 'codex'],
    ] as const) {
      await consent.allow(handle, agent);
      paths.set(`${handle} ${agent}`, await cachePath(directory, { handle, agent }));
    }
    // The one of earlier versions.
    paths.set('notion-wiki', (paths.get('notion-wiki codex') ?? '').replace('.codex', ''));
    mkdirSync(join(home, 'agents'));
    for (const path of paths.values()) {
      writeFileSync(path, '{}', { mode: 0o600 });
    }
    const refused = ['notion-wiki codex', 'notion-wiki'].map((name) => paths.get(name) ?? '');
    const removed = waitInFolder(home, async () => !refused.some(existsSync) || undefined);
    await withdraw(consent);
    assert.ok(await removed);
    const left = [...paths].filter(([, path]) => existsSync(path)).map(([name]) => name);
    assert.deepEqual(left, ['notion-wiki claude-code', 'notion-wiki editor', 'notion-docs codex']);
  });
}

test('what the user decided for an account counts for the one that it was merged with, and after a sign-out', async (t) => {
  const { agents } = window(t);
  const { consent } = agents;
  const merged = { ...grantOf('docs'), accountId: 'ada at docs' };
  const remaining = { ...grantOf('2-docs'), accountId: 'ada at docs' };
  await consent.allow('notion-docs', 'codex');
  await agents.forget([merged], [remaining, grantOf('ada')]);
  assert.equal(consent.permission('notion-2-docs', 'codex'), 'allowed');
  assert.equal(consent.permission('notion-ada', 'codex'), 'unknown');
  await agents.forget([remaining], [grantOf('ada')]);
  assert.equal(consent.permission('notion-2-docs', 'codex'), 'allowed');
});

test('what agents start is brought up to date in a window that offers nothing in chat itself', async (t) => {
  const { agents, home } = window(t, { accounts: () => [grantOf('wiki')] });
  agents.update();
  assert.ok(!existsSync(join(home, 'agents')));
  await agents.consent.allow('notion-wiki', 'codex');
  agents.update();
  assert.ok(await waitInFolder(home, async () => existsSync(join(home, 'agents', 'notion-mcp-bridge')) || undefined));
});

test('a window of Cursor registers what was connected in an earlier one, and unregisters it when it is closed', async (t) => {
  const registry = new DocumentedCursor();
  const { agents, home } = window(t, { registry });
  const folder = join(home, 'agents', 'configured');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const entries = [{ handle: 'notion-wiki', name: 'notion-wiki', isRegistered: true }];
  const record = { version: 1, agent: 'cursor', path: join(home, 'mcp.json'), entries, existed: false };
  writeFileSync(join(folder, '1.json'), JSON.stringify(record), { mode: 0o600 });
  agents.update();
  await registry.called;
  const { args } = registry.servers.get('notion-wiki') ?? assert.fail();
  assert.deepEqual(args.slice(-4), ['--account', 'notion-wiki', '--agent', 'cursor']);
  await agents.close();
  assert.deepEqual(registry.calls, ['register notion-wiki', 'unregister notion-wiki']);
});

test('a web worker neither listens for bridges nor starts one', (t) => {
  assert.equal(none(window(t).parts), undefined);
});

function window(
  t: TestContext,
  { host = { host: 'workspace', remote: false }, registry, accounts = () => [] }: Partial<AgentsParts> = {},
) {
  const home = temporaryFolder(t);
  const directory = join(home, 'journal');
  const bridgeFile = join(home, 'bridge.cjs');
  writeFileSync(bridgeFile, '');
  const logged: string[] = [];
  const record = (line: string): void => {
    logged.push(line);
  };
  const parts: AgentsParts = {
    directory,
    bridgeFile,
    host,
    registry,
    editor: 'VS Code',
    accounts,
    isOffered: () => true,
    keys: () => [],
    gateway: async () => undefined,
    clock: new FakeClock(),
    randomness: systemRandomness,
    log: new Log({ error: record, warn: record, info: record, debug: record }),
  };
  const agents = createAgents(parts) ?? assert.fail();
  t.after(() => agents.close());
  return { agents, parts, directory, home, logged };
}
