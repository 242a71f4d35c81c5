import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Log, LogLevel, Miniflare } from 'miniflare';

export interface WorkersServer {
  mcp: URL;
  /** Sets what the user decides at the next consent pages. */
  setDecision(decision: 'allow' | 'deny'): Promise<void>;
  /** Deletes all client registrations, as Notion does after 90 days. */
  purge(): Promise<void>;
}

/** Starts `@cloudflare/workers-oauth-provider`, the library behind Notion's server, in workerd. */
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
    // Otherwise workerd would print the errors that the tests provoke to this process's output.
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
    setDecision: (decision) => post('/decision', decision),
    purge: () => post('/purge'),
  };
}
