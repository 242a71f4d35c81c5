import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
/** A second extension, which requests sessions as any other extension does. */
export const consumerFolder = join(here, 'consumer');
/** The example for authors of extensions. */
export const notesFolder = join(here, 'notes');
/** Below the root, because VS Code attributes API calls to the extension whose folder contains the caller. */
const suiteFolder = join(here, '..', '..', 'artefacts', 'editor', 'suite');

const forExtensionHost: BuildOptions = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node22',
  outExtension: { '.js': '.cjs' },
  external: ['vscode'],
  sourcemap: 'inline',
  logLevel: 'warning',
};

/** Bundles the tests that run inside the extension host. Returns the file that the editor has to run. */
export async function bundleSuite(): Promise<string> {
  const source = join(here, 'suite');
  const names = await readdir(source, { recursive: true });
  await build({
    ...forExtensionHost,
    entryPoints: ['index.ts', ...names.filter((name) => name.endsWith('.test.ts'))].map((name) => join(source, name)),
    outdir: suiteFolder,
  });
  return join(suiteFolder, 'index.cjs');
}

/** Bundles the `extension.ts` of a test extension into the `dist` folder beside it. */
export async function bundleExtension(folder: string): Promise<void> {
  await build({ ...forExtensionHost, entryPoints: [join(folder, 'extension.ts')], outdir: join(folder, 'dist') });
}
