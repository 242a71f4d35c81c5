import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
/** The second extension, which asks for sessions as other people's do. */
export const consumerFolder = join(here, 'consumer');
/** Under the root: what tests call is attributed to the extension in whose folder they lie. */
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

/** Bundles the tests that run inside the extension host; resolves to the file that the editor is told to run. */
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

/** Bundles the `extension.ts` of an extension of the tests, where it lies. */
export async function bundleExtension(folder: string): Promise<void> {
  await build({ ...forExtensionHost, entryPoints: [join(folder, 'extension.ts')], outdir: join(folder, 'dist') });
}
