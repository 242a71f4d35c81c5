import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The rules that Biome, configured as for this project, finds broken in `files`, as `path rule`. */
function brokenRules(t: TestContext, files: Record<string, string>): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'rooms-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  for (const config of ['biome.json', 'src/biome.json']) {
    copyFileSync(join(root, config), join(directory, config));
  }
  const program = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const { stdout } = spawnSync(process.execPath, [program, 'lint', '--reporter=github', 'src'], {
    cwd: directory,
    encoding: 'utf8',
  });
  return [...stdout.matchAll(/title=lint\/\w+\/(\w+),file=(?:[^,]*\/)?(src\/[^,]+)/g)]
    .map(([, rule, file]) => `${file} ${rule}`)
    .sort();
}

const grant = { 'src/grants/grant.ts': 'export interface Grant {\n  id: string;\n}\n' };

test('a type-only import of a room from one above it fails the check', (t) => {
  const file = "import type { Grant } from '../grants/grant.ts';\n\nexport type { Grant };\n";
  assert.deepEqual(brokenRules(t, { ...grant, 'src/oauth/token.ts': file, 'src/storage/journal.ts': file }), [
    'src/oauth/token.ts noRestrictedImports',
  ]);
});

test('a dynamic import of a room from one above it fails the check', (t) => {
  const file = "export const load = () => import('../grants/grant.ts');\n";
  assert.deepEqual(brokenRules(t, { ...grant, 'src/http/client.ts': file, 'src/signIn/signIn.ts': file }), [
    'src/http/client.ts noRestrictedImports',
  ]);
});

test('platform code and vscode are imported only where they may be', (t) => {
  const byAlias = "export { listen } from '#platform/listen';\n";
  const byPath = "export { listen } from '../platform/node/listen.ts';\n";
  const vscode = "export type { Uri } from 'vscode';\n";
  const broken = brokenRules(t, {
    'src/core/a.ts': byAlias,
    'src/gateway/b.ts': byAlias,
    'src/gateway/c.ts': byPath,
    'src/accounts/d.ts': vscode,
    'src/editor/e.ts': vscode,
    'src/editor/messages/f.ts': "export { activate } from '../../extension.ts';\n",
  });
  assert.deepEqual(broken, [
    'src/accounts/d.ts noRestrictedImports',
    'src/core/a.ts noRestrictedImports',
    'src/editor/messages/f.ts noRestrictedImports',
    'src/gateway/c.ts noRestrictedImports',
  ]);
});

test('the bridge, a process of its own, imports hardly any of the rooms above its own', (t) => {
  const broken = brokenRules(t, {
    ...grant,
    'src/calls/repeat.ts': 'export interface Repeat {\n  id: string;\n}\n',
    'src/agents/protocol.ts': 'export interface Protocol {\n  id: string;\n}\n',
    'src/agents/contract.ts': "export type { Grant } from '../grants/grant.ts';\n",
    'src/agents/bridge/a.ts': "export type { Grant } from '../../grants/grant.ts';\n",
    'src/agents/bridge/b.ts': "export type { Grant } from '../contract.ts';\n",
    'src/agents/bridge/c.ts': "export type { Repeat } from '../../calls/repeat.ts';\n",
    'src/agents/bridge/d.ts': "export type { Protocol } from '../protocol.ts';\n",
    'src/agents/bridge/e.ts': "export type { Uri } from 'vscode';\n",
    'src/diagnostics/f.ts': "export type { Protocol } from '../agents/protocol.ts';\n",
    'src/gateway/g.ts': "export type { Protocol } from '../agents/protocol.ts';\n",
  });
  assert.deepEqual(
    broken.map((line) => line.split(' ')[0]),
    ['src/agents/bridge/a.ts', 'src/agents/bridge/b.ts', 'src/agents/bridge/e.ts', 'src/gateway/g.ts'],
  );
});

test('a room that has no place in the order yet fails the check', (t) => {
  const file = "export type { Grant } from '../grants/grant.ts';\n";
  assert.deepEqual(brokenRules(t, { ...grant, 'src/newRoom/a.ts': file }), ['src/newRoom/a.ts noRestrictedImports']);
});

test('an import cycle of types alone fails the check', (t) => {
  const broken = brokenRules(t, {
    'src/grants/a.ts': "import type { B } from './b.ts';\n\nexport interface A {\n  b: B;\n}\n",
    'src/grants/b.ts': "import type { A } from './a.ts';\n\nexport interface B {\n  a: A;\n}\n",
  });
  assert.deepEqual(broken, ['src/grants/a.ts noImportCycles', 'src/grants/b.ts noImportCycles']);
});
