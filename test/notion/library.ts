import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Log, LogLevel, Miniflare } from 'miniflare';

/** `today` is closest to what Notion runs; `next` is the library's newest version. */
export type LibraryVersion = 'today' | 'next';

/** Runs the worker with the real library in workerd. */
export async function startWorker(version: LibraryVersion): Promise<Miniflare> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('worker.js', import.meta.url))],
    alias: { 'workers-oauth-provider': `workers-oauth-provider-${version}` },
    external: ['cloudflare:workers', 'node:*'],
    conditions: ['workerd', 'worker', 'browser'],
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'error',
  });
  const miniflare = new Miniflare({
    modules: true,
    script: outputFiles[0]?.text ?? '',
    kvNamespaces: ['OAUTH_KV'],
    compatibilityDate: '2026-01-01',
    // Without the second flag the library does not advertise client metadata documents, as Notion does.
    compatibilityFlags: ['nodejs_compat', 'global_fetch_strictly_public'],
    host: '127.0.0.1',
    log: new Log(LogLevel.NONE),
    // Otherwise workerd's output would appear here, with the errors that the tests provoke.
    handleRuntimeStdio: (out: Readable, error: Readable) => {
      out.resume();
      error.resume();
    },
  });
  await miniflare.ready;
  return miniflare;
}
