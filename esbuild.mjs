// node esbuild.mjs [--minify]: builds the extension into dist/.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
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
    // The CommonJS build of jsonc-parser requires its parts in a form that cannot be bundled.
    mainFields: ['module', 'main'],
    external: ['vscode'],
    minify,
    sourcemap: minify ? false : 'inline',
    metafile: true,
    logLevel: 'warning',
  });
  const files = Object.keys(metafile.outputs);
  await Promise.all(files.map((file) => toCommonJs(`${root}${file}`, minify)));
  const web = await buildWebExtension({ minify });
  const bridge = await buildProgram('bridge', 'src/agents/bridge/main.ts', { minify });
  const uninstall = await buildProgram('uninstall', 'src/agents/uninstall.ts', { minify });
  const metafiles = [metafile, web.metafile, bridge.metafile, uninstall.metafile];
  await writeFile(`${root}dist/ThirdPartyNotices.txt`, await thirdPartyNotices(root, metafiles));
  await writeFile(`${root}dist/README.md`, readmeForEditor(await readFile(`${root}README.md`, 'utf8')));
  return [...files, web.outfile, bridge.outfile, uninstall.outfile];
}

/**
 * The notices of all packages that have code in these builds, with their licences in full.
 * @throws Error if a package does not say its licence, which then has to be looked up
 */
async function thirdPartyNotices(root, metafiles) {
  const files = metafiles
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap(({ inputs }) => Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0));
  const packages = new Set(files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const notices = await Promise.all([...packages].sort().map((directory) => noticeOf(join(root, directory))));
  // undici contains a compiled copy of llhttp, whose licence it does not ship.
  if (files.some((file) => file.includes('/undici/lib/llhttp/'))) {
    notices.push(`llhttp, a part of undici (MIT)\n\n${await licenseIn(join(root, 'media/licenses'), /^llhttp\.txt$/)}`);
  }
  return `This extension contains software by others.\n\n${notices.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

async function noticeOf(directory) {
  const { name, version, license } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
  return `${name} ${version} (${license})\n\n${await licenseIn(directory, /^licen[cs]e(\.(md|txt))?$/i)}`;
}

async function licenseIn(directory, pattern) {
  const file = (await readdir(directory)).find((name) => pattern.test(name));
  if (file === undefined) {
    throw new Error(`There is no licence in ${directory}.`);
  }
  return `${(await readFile(join(directory, file), 'utf8')).trim()}\n`;
}

/** The same for a web worker, which loads one file and knows neither Node nor a second one. */
async function buildWebExtension({ minify }) {
  const outfile = 'dist/web/extension.cjs';
  const { metafile } = await build({
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
    metafile: true,
    logLevel: 'warning',
  });
  return { outfile, metafile };
}

/**
 * A program of its own, in one file, for the editor's Node or another one: the bridge, which agents start, and the script
 * that the editor starts after it has uninstalled the extension.
 */
export async function buildProgram(name, entryPoint, { minify, outfile = `dist/${name}.cjs` }) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify,
    sourcemap: minify ? false : 'inline',
    metafile: true,
    logLevel: 'warning',
  });
  return { outfile, metafile };
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
 * The README as the editor shows it beside the installed extension, which is for users and for authors of extensions. A
 * picture there comes from https or not at all, and a link to a file of the source leads nowhere.
 */
export function readmeForEditor(readme) {
  const [forReaders] = readme.split('\n## Contribute\n');
  return forReaders
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
