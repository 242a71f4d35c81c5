import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { createPlatformHttp } from '../../../../src/platform/browser/transport.ts';
import { failureKindOf } from '../../http/transports.ts';

test('a redirect in a browser is refused because the browser hides its target', async () => {
  // Node's `fetch` returns redirects as they are, so the response of a browser is imitated: the Fetch standard's
  // opaque-redirect filtered response.
  const opaque = { type: 'opaqueredirect', status: 0, headers: new Headers(), body: null } as Response;
  const http = createPlatformHttp({ userAgent: 'test/1', hostFetch: async () => opaque });
  for (const redirects of ['refuse', 'sameOrigin'] as const) {
    const request = { method: 'GET', url: new URL('https://mcp.example.test/'), redirects } as const;
    assert.equal(await failureKindOf(http, request), 'redirected');
  }
});

test('the bundled browser transport uses no Node module', async () => {
  const { outputFiles, warnings } = await build({
    entryPoints: [fileURLToPath(new URL('../../../../src/platform/browser/transport.ts', import.meta.url))],
    bundle: true,
    platform: 'browser',
    conditions: ['browser'],
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  assert.deepEqual(warnings, []);
  assert.doesNotMatch(outputFiles[0]?.text ?? 'node:', /\bnode:|\brequire\(/);
});
