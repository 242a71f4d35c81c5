// node test/e2e/prepare.ts: installs the editor and packages the extensions that the tests in this folder use.
import assert from 'node:assert/strict';
import { exec } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createVSIX } from '@vscode/vsce';
import { bundleExtension, consumerFolder, notesFolder } from '../editor/bundle.ts';
import { installHost } from '../editor/host/install.mjs';
import { consumerVsix, fixtureVsix, notesVsix, vsixFolder } from './driver/vsix.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const fixtureFolder = fileURLToPath(new URL('fixture', import.meta.url));

await installHost();
await mkdir(vsixFolder, { recursive: true });
// The tests use the same package that users install.
const { stdout, stderr } = await promisify(exec)('npm run --silent package', { cwd: root });
assert.doesNotMatch(stdout + stderr, /WARNING/);
for (const [folder, packagePath] of [
  [consumerFolder, consumerVsix],
  [fixtureFolder, fixtureVsix],
  [notesFolder, notesVsix],
] as const) {
  await bundleExtension(folder);
  await createVSIX({ cwd: folder, packagePath, dependencies: false, skipLicense: true });
}
