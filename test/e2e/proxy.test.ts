import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { startProxy } from '../unit/http/connectProxy.ts';
import { hostname, startPrivateServer } from './privateServer.ts';
import { signIn } from './signIn.ts';
import { reportFailure, startTestbed } from './testbed.ts';

const label = 'Ada Lovelace (Engineering Wiki)';

interface Company {
  settings?: (proxy: URL) => Record<string, unknown>;
  environment?: (proxy: URL) => Record<string, string>;
  /** Whether the system trusts the private authority. */
  trusted?: boolean;
  /** The password that the editor sends to the proxy. */
  password?: string;
}

/** An editor in a company network, with a proxy and a server whose certificate is from a private authority. */
async function startCompany(t: TestContext, { settings, environment, trusted = true, password }: Company) {
  const cleanups = new AsyncDisposableStack();
  t.after(() => cleanups.disposeAsync());
  const scope = { after: (end: () => unknown) => cleanups.defer(async () => void (await end())) };
  const { notion, authority, testbedOptions } = await startPrivateServer(scope);
  const proxy = await startProxy(scope, { password: 'open sesame', ...notion.address });
  const proxyUrl = new URL(proxy.url);
  proxyUrl.username = 'someone';
  proxyUrl.password = password ?? 'open sesame';
  const testbed = await startTestbed({
    ...testbedOptions,
    settings: { 'http.systemCertificatesNode': true, ...settings?.(proxyUrl) },
    environment: {
      // OpenSSL loads the system's certificates from this file.
      ...(trusted && { SSL_CERT_FILE: authority.certFile }),
      ...environment?.(proxyUrl),
    },
  });
  scope.after(() => testbed.stop());
  scope.after(() => reportFailure(t, testbed.editor));
  return { ...testbed, tunnels: proxy.tunnels };
}

const proxySources: Record<string, Company> = {
  'the editor’s http.proxy': { settings: (proxy) => ({ 'http.proxy': proxy.href }) },
  'the environment’s HTTPS_PROXY': { environment: (proxy) => ({ HTTPS_PROXY: proxy.href }) },
};

for (const [source, company] of Object.entries(proxySources)) {
  describe(`behind a proxy with a password, configured by ${source}, and with a private certificate authority`, {
    timeout: 120_000,
  }, () => {
    test(`a sign-in, its identity request and a renewal use the proxy configured by ${source}`, async (t) => {
      const { window, notion, consumer, tunnels } = await startCompany(t, company);
      await signIn(window);
      assert.deepEqual(await consumer.accounts(), [label]);
      const renewals = notion.requests({ path: '/token' }).length;
      await window.runCommand('Notion MCP: Refresh Session');
      await window.notifications.waitFor(`Refreshed ${label}`);
      assert.equal(notion.requests({ path: '/token' }).length, renewals + 1);
      assert.ok(tunnels.includes(new URL(notion.origin).host));
    });
  });
}

describe('behind a proxy that http.noProxy excludes for this server', { timeout: 120_000 }, () => {
  test('a sign-in bypasses the proxy for a host in http.noProxy', async (t) => {
    const settings = (proxy: URL) => ({ 'http.proxy': proxy.href, 'http.noProxy': [hostname] });
    const { window, tunnels } = await startCompany(t, { settings });
    await window.runCommand('Notion MCP: Sign In');
    await window.notifications.waitFor('cannot be reached');
    assert.deepEqual(tunnels, []);
  });
});

describe('behind a proxy that rejects the password', { timeout: 120_000 }, () => {
  test('a sign-in that the proxy rejects is reported as a proxy failure, with a button to try again', async (t) => {
    const company = { ...proxySources['the environment’s HTTPS_PROXY'], password: 'guessed' };
    const { window, notion } = await startCompany(t, company);
    await window.runCommand('Notion MCP: Sign In');
    const { severity, buttons } = await window.notifications.waitFor('The proxy did not let the request');
    assert.deepEqual(
      { severity, buttons },
      { severity: 'error', buttons: ['Open Proxy Setting', 'Try Again', 'Show Log'] },
    );
    assert.deepEqual(notion.requests(), []);
  });
});

describe('behind a proxy, with an untrusted certificate authority', { timeout: 120_000 }, () => {
  test('an untrusted certificate is reported, and no request reaches the server', async (t) => {
    const company = { ...proxySources['the environment’s HTTPS_PROXY'], trusted: false };
    const { window, notion } = await startCompany(t, company);
    await window.runCommand('Notion MCP: Sign In');
    const { severity, buttons } = await window.notifications.waitFor('is not trusted on this computer');
    assert.deepEqual({ severity, buttons }, { severity: 'error', buttons: ['Try Again', 'Show Log'] });
    assert.deepEqual(notion.requests(), []);
  });
});
