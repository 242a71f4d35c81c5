import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildProgram } from '../../../esbuild.mjs';
import { planConnection } from '../../../src/agents/configuration/plan.ts';
import { waitInFolder } from '../../e2e/driver/waitInFolder.ts';
import { ConnectionsUnderTest } from './configuration/connectionsUnderTest.ts';
import { DocumentedCursor } from './configuration/documentedCursor.ts';

test('after an uninstallation, the launcher says how to remove the server from each agent', async (t) => {
  const { under, uninstall, start } = await installation(t);
  await under.connect('codex');
  await under.connect('cursor', 'notion2-grace');
  uninstall('extensions');
  const { status, stdout, stderr } = start();
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.deepEqual(stderr.split('\n').slice(1).sort(), [
    '',
    'Codex: codex mcp remove notion-ada',
    `Cursor: remove notion2-grace from ${under.pathOf('cursor')}`,
  ]);
  assert.match(stderr, /^Notion’s tools are no longer here, because the editor’s Notion extension was uninstalled\./);
});

test('after an uninstallation, nothing has to be removed from the editor with which a server was registered', async (t) => {
  const { under, uninstall, start } = await installation(t);
  await under.connect('codex');
  const { connections } = under.inside(new DocumentedCursor());
  const request = { handle: 'notion2-grace', launch: under.launch('notion2-grace', 'cursor') };
  await connections.connect(planConnection(await connections.inspect('cursor'), request, []));
  uninstall('extensions');
  assert.deepEqual(start().stderr.split('\n').slice(1), ['Codex: codex mcp remove notion-ada', '']);
});

test('where agents start the bridge itself, that says the same', async (t) => {
  const { under, uninstall, start } = await installation(t);
  await under.connect('codex');
  uninstall('extensions');
  const bridge = join(under.launcher, '..', 'bridge.cjs');
  const { status, stderr } = spawnSync(process.execPath, [bridge], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.equal(stderr, start().stderr);
});

test('an uninstallation leaves the journal, the agents’ configurations and other editors as they are', async (t) => {
  const { under, uninstall, start } = await installation(t);
  await under.connect('codex');
  const journal = join(under.home, 'storage', 'journal');
  mkdirSync(journal);
  writeFileSync(join(journal, 'grant'), 'encrypted');
  const configuration = under.read('codex');
  uninstall('another editor');
  assert.equal(start().stdout, 'started');
  uninstall('extensions');
  assert.notEqual(start().stdout, 'started');
  assert.equal(readFileSync(join(journal, 'grant'), 'utf8'), 'encrypted');
  assert.equal(under.read('codex'), configuration);
  assert.deepEqual(readdirSync(join(under.home, '.local', 'state', 'notion-mcp-auth')), []);
});

test('what the launcher says comes back after the editor has deleted the extension’s storage and files', async (t) => {
  const { under, uninstall, start } = await installation(t);
  await under.connect('codex');
  uninstall('extensions');
  const said = start().stderr;
  const folder = join(under.home, 'storage');
  rmSync(join(under.home, 'extensions'), { recursive: true });
  rmSync(folder, { recursive: true });
  const written = await waitInFolder(under.home, async () => existsSync(under.launcher) || undefined);
  assert.ok(written);
  assert.equal(start().stderr, said);
  assert.equal(statSync(under.launcher).mode & 0o777, 0o700);
});

test('what an uninstallation writes is private and can be started, whatever a name or a path contains', async (t) => {
  const { under, uninstall, start } = await installation(t, "it's $(touch injected) `x`\nHOME");
  await under.connect('cursor');
  uninstall('extensions');
  assert.equal(statSync(under.launcher).mode & 0o777, 0o700);
  assert.ok(start().stderr.includes(under.pathOf('cursor')));
  assert.ok(!readdirSync(under.home).includes('injected'));
});

/** A home with a launcher, and two editors whose extensions can be uninstalled. */
async function installation(t: TestContext, name = 'home') {
  const under = new ConnectionsUnderTest(t, { name });
  mkdirSync(join(under.launcher, '..'), { recursive: true });
  writeFileSync(under.launcher, '#!/bin/sh\nprintf started\n');
  chmodSync(under.launcher, 0o700);
  writeFileSync(join(under.launcher, '..', 'bridge.cjs'), '');
  const programs = new Map<string, string>();
  for (const extensions of ['extensions', 'another editor']) {
    const outfile = join(under.home, extensions, 'seedling.notion-mcp-auth-0.1.0', 'dist', 'uninstall.cjs');
    await buildProgram('uninstall', 'src/agents/uninstall.ts', { minify: false, outfile });
    programs.set(extensions, outfile);
  }
  const uninstall = (extensions: string): void => {
    const { status, stderr } = spawnSync(process.execPath, [programs.get(extensions) ?? ''], {
      env: { HOME: under.home },
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    assert.equal(status, 0);
  };
  const start = () => spawnSync(under.launcher, [], { cwd: under.home, encoding: 'utf8' });
  return { under, uninstall, start };
}
