// node test/stages/runSource.mjs <program.ts> [arguments]: runs a TypeScript program of the tests on Node 20 or newer.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const [program, ...programArguments] = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), 'notion-mcp-auth-'));
const outfile = join(directory, 'program.mjs');
try {
  await build({
    entryPoints: [program],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // Some dependencies are CommonJS and `require` Node's built-in modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  const child = spawn(process.execPath, [outfile, ...programArguments], { stdio: 'inherit' });
  process.exitCode = await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
} finally {
  await rm(directory, { recursive: true, force: true });
}
