// node esbuild.mjs [--minify]: builds the extension into dist/.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('.', import.meta.url));

/**
 * Builds `dist/extension.cjs`, which the editor loads at its start, and the parts that it loads on first use.
 * Minified it is what people get; else it has source maps.
 */
export async function buildExtension({ minify = false } = {}) {
  await rm(`${root}dist`, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { extension: 'src/extension.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: ['vscode'],
    minify,
    sourcemap: minify ? false : 'inline',
    metafile: true,
    logLevel: 'warning',
  });
  const files = Object.keys(metafile.outputs);
  await Promise.all(files.map((file) => toCommonJs(`${root}${file}`, minify)));
  await writeFile(`${root}dist/README.md`, readmeForEditor(await readFile(`${root}README.md`, 'utf8')));
  return [...files, await buildWebExtension({ minify })];
}

/** The same for a web worker, which loads one file and knows neither Node nor a second one. */
async function buildWebExtension({ minify }) {
  const outfile = 'dist/web/extension.cjs';
  await build({
    absWorkingDir: root,
    entryPoints: ['src/extension.ts'],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'browser',
    target: 'es2023',
    external: ['vscode'],
    minify,
    sourcemap: minify ? false : 'inline',
    logLevel: 'warning',
  });
  return outfile;
}

/**
 * esbuild splits only ES modules, while every extension host loads CommonJS: so each part is rewritten once it is
 * split. `import()` becomes `require`, which the host resolves synchronously and for `vscode` too.
 */
async function toCommonJs(file, minify) {
  const { code } = await transform(await readFile(file, 'utf8'), {
    sourcefile: basename(file),
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    supported: { 'dynamic-import': false },
    minify,
    sourcemap: minify ? false : 'inline',
    logLevel: 'warning',
  });
  await writeFile(file, code);
}

/**
 * The README as the editor can show it beside the installed extension: there a picture comes from https or not at all,
 * and a link to a file of the source leads nowhere.
 */
export function readmeForEditor(readme) {
  return readme
    .replace(/^ *!\[[^\]]*\]\((?!https:)[^)]*\)\n\n?/gm, '')
    .replace(/\[([^\]]+)\]\((?!https?:|#)[^)]*\)/g, '$1');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = await buildExtension({ minify: process.argv.includes('--minify') });
  for (const file of files) {
    const { byteLength } = await readFile(`${root}${file}`);
    console.log(`${file.padEnd(40)} ${(byteLength / 1024).toFixed(1).padStart(8)} KB`);
  }
}
