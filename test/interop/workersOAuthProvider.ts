import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Log, LogLevel, Miniflare } from 'miniflare';

export interface WorkersServer {
  mcp: URL;
  person(answer: 'allow' | 'deny'): Promise<void>;
  /** Forgets all clients, as Notion does after their 90 days. */
  purge(): Promise<void>;
}

/** `@cloudflare/workers-oauth-provider`, which Notion's server is built on, run for real in workerd. */
export async function startWorkersServer(t: TestContext, library: string): Promise<WorkersServer> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('workersOAuthProvider.worker.js', import.meta.url))],
    alias: { 'workers-oauth-provider': library },
    external: ['cloudflare:workers', 'node:*'],
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
    host: '127.0.0.1',
    log: new Log(LogLevel.NONE),
    // Without it workerd's lines go to this process: refusals that the tests provoke.
    handleRuntimeStdio: (out: Readable, error: Readable) => {
      out.resume();
      error.resume();
    },
  });
  t.after(() => miniflare.dispose());
  const origin = await miniflare.ready;
  const post = async (path: string, body = '') => {
    await fetch(new URL(path, origin), { method: 'POST', body });
  };
  return {
    mcp: new URL('/mcp', origin),
    person: (answer) => post('/person', answer),
    purge: () => post('/purge'),
  };
}
