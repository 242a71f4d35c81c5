import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createPlatformHttp } from '#platform/transport';
import { Authority } from './authority.ts';
import { startProxy } from './connectProxy.ts';
import { startTlsServer } from './tlsServer.ts';
import { failureKindOf } from './transports.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('sendToken.ts', import.meta.url));
const off = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
const password = 'p:ss word';

test('A26: our own connections verify certificates even if the environment switches that off', async (t) => {
  const { port, received } = await startSelfSignedServer(t, 'IP:127.0.0.1');
  assert.equal(await sendToken(off, `https://127.0.0.1:${port}/token`), 'certificate, not sent');
  assert.deepEqual(received, []);
});

test('A26: over the host’s fetch, which cannot be forced to verify certificates, nothing is sent if the environment switches that off', async (t) => {
  const { port, received } = await startSelfSignedServer(t, 'DNS:mcp.example.test');
  const proxy = await startProxy(t, { password, port });
  const behindProxy = ['https://mcp.example.test/token', proxy.url, password];
  assert.equal(await sendToken(off, ...behindProxy), 'unverified, not sent');
  assert.deepEqual(proxy.tunnels, []);
  assert.deepEqual(received, []);
});

test('A26: values with which Node verifies certificates are no reason to refuse a request', async (t) => {
  const { port, received } = await startSelfSignedServer(t, 'DNS:mcp.example.test');
  const proxy = await startProxy(t, { password, port });
  for (const value of ['1', '', 'false']) {
    const environment = { NODE_TLS_REJECT_UNAUTHORIZED: value };
    const result = await sendToken(environment, 'https://mcp.example.test/', proxy.url, password);
    assert.equal(result, 'certificate, not sent', value);
  }
  assert.equal(proxy.tunnels.length, 3);
  assert.deepEqual(received, []);
});

test('A26: another extension that switches the verification of certificates off later stops the next request', async (t) => {
  const sent: string[] = [];
  const hostFetch: typeof fetch = async (url) => {
    sent.push(String(url));
    return new Response();
  };
  const http = createPlatformHttp({ userAgent: 'test/1', hostFetch });
  const request = { method: 'GET', url: new URL('https://mcp.example.test/') } as const;
  t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
  await http(request);
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  assert.equal(await failureKindOf(http, request), 'unverified');
  assert.equal(sent.length, 1);
});

/** What became of a request of another process with this environment. */
async function sendToken(environment: Record<string, string>, ...parameters: string[]): Promise<string> {
  const env = { ...process.env, ...environment };
  const { stdout } = await run(process.execPath, [program, ...parameters], { env });
  return stdout.trim();
}

async function startSelfSignedServer(t: TestContext, name: string) {
  return startTlsServer(t, await (await Authority.create(t)).issue(name));
}
