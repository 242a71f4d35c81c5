import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { Authority } from '../unit/http/authority.ts';
import { startProxy } from '../unit/http/connectProxy.ts';
import { startTlsServer } from '../unit/http/tlsServer.ts';
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
  const server = { host: notion.address.host, port: notion.address.port, password: 'open sesame' };
  return { ...testbed, scope, tunnels: proxy.tunnels, proxy, proxyUrl, server };
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

describe('behind a proxy, after a sign-in', { timeout: 150_000 }, () => {
  test('a tool call in chat, a sign-in and a test of the connection tell a certificate, a proxy’s password, a stopped proxy and an unknown server name each in one sentence', async (t) => {
    const company = await startCompany(t, { settings: (proxy) => ({ 'http.proxy': proxy.href }) });
    const { window, consumer, notion, proxy, proxyUrl, server, scope } = company;
    const { host } = new URL(notion.origin);
    const stranger = await startTlsServer(scope, await (await Authority.create(scope)).issue(`DNS:${hostname}`));
    await signIn(window);
    await window.runCommand('MCP: List Servers');
    await window.quickInput.choose('notion-engineering-wiki');
    await window.quickInput.choose('Start Server');
    await consumer.waitForTool('notion-fetch');
    const tool = (await consumer.toolNames()).find((name) => name.includes('notion-fetch')) ?? assert.fail();

    const call = async (): Promise<string> => {
      const result = consumer.callTool(tool, { id: 'self' }).catch(String);
      await window.dialog.waitFor('Run notion-fetch');
      await window.dialog.click('Yes');
      return result;
    };
    const assertTold = async (sentence: string): Promise<void> => {
      const inChat = await call();
      assert.ok(inChat.endsWith(sentence), inChat);
      await window.runCommand('Notion MCP: Sign In');
      await window.notifications.take(sentence);
      await window.runCommand('Notion MCP: Test Connection');
      await window.notifications.take(`${label}: ${sentence}`);
    };
    const ofCertificate = `The certificate of ${host} is not trusted on this computer. If your company issued it, add its authority to the system’s certificates, then try again.`;
    const ofProxy = `The proxy did not let the request to ${host} through. Check the proxy setting, then try again.`;

    proxy.change({ host: '127.0.0.1', port: stranger.port });
    await assertTold(ofCertificate);
    proxy.change({ ...server, password: 'changed' });
    await assertTold(ofProxy);
    proxy.change(server);
    proxy.stop();
    await assertTold(ofProxy);
    await proxy.restart();
    await consumer.changeSetting('http.proxy', '');
    await assertTold(`${host} cannot be reached. Check your network and the server URL, and try again.`);
    await consumer.changeSetting('http.proxy', proxyUrl.href);
    assert.match(await call(), /Ada Lovelace/);
    const opened = company.tunnels.length;
    assert.match(await call(), /Ada Lovelace/);
    assert.equal(company.tunnels.length, opened, 'a second call uses the connection of the first');
    await consumer.changeSetting('http.proxy', '');
    assert.match(await call(), /cannot be reached/, 'and none does once the setting has changed');
    await consumer.changeSetting('http.proxy', proxyUrl.href);

    await consumer.requestConsent(window, label);
    // The access token has expired, so the renewal before the call is what fails.
    await consumer.advanceClock(120);
    proxy.change({ host: '127.0.0.1', port: stranger.port });
    const inChat = await call();
    assert.ok(inChat.endsWith(ofCertificate), inChat);
    await assert.rejects(consumer.silentSession(), ({ message }: Error) => message.endsWith(ofCertificate));
    assert.deepEqual(stranger.received, []);
  });
});
