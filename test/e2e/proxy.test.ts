import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { Authority } from '../unit/http/authority.ts';
import { startProxy } from '../unit/http/connectProxy.ts';
import { startTlsServer } from '../unit/http/tlsServer.ts';
import { hostname, startPrivateServer } from './privateServer.ts';
import { signIn } from './signIn.ts';
import { useTestbed } from './testbed.ts';

const label = 'Ada Lovelace (Engineering Wiki)';

/** What configures the proxy at the editor’s start. */
interface Company {
  settings?: (proxy: URL) => Record<string, unknown>;
  environment?: (proxy: URL) => Record<string, string>;
}

/** An editor in a company network, with a proxy and a server whose certificate is from a private authority. */
async function useCompany(t: TestContext, { settings, environment }: Company) {
  const { notion, authority, testbedOptions } = await startPrivateServer(t);
  const server = { host: notion.address.host, port: notion.address.port, password: 'open sesame' };
  const proxy = await startProxy(t, server);
  const proxyUrl = Object.assign(new URL(proxy.url), { username: 'someone', password: server.password });
  const testbed = await useTestbed({
    ...testbedOptions,
    settings: { 'http.systemCertificatesNode': true, ...settings?.(proxyUrl) },
    environment: {
      // OpenSSL loads the system's certificates from this file.
      SSL_CERT_FILE: authority.certFile,
      ...environment?.(proxyUrl),
    },
  });
  const stranger = await startTlsServer(t, await (await Authority.create(t)).issue(`DNS:${hostname}`));

  /** Signs in and renews through the proxy, which `source` configures. */
  const testSuccess = (source: string) =>
    t.test(`a sign-in, its identity request and a renewal use the proxy configured by ${source}`, async () => {
      const { window, consumer } = testbed;
      await signIn(window);
      assert.deepEqual(await consumer.accounts(), [label]);
      const renewals = notion.requests({ path: '/token' }).length;
      await window.runCommand('Notion MCP: Refresh Session');
      await window.notifications.take(`Refreshed ${label}`);
      assert.equal(notion.requests({ path: '/token' }).length, renewals + 1);
      assert.ok(proxy.tunnels.includes(new URL(notion.origin).host));
    });

  return { ...testbed, proxy, proxyUrl, server, stranger, testSuccess };
}

describe('behind a proxy with a password, and with a private certificate authority', { timeout: 240_000 }, () => {
  test('the editor’s http.proxy and http.noProxy are obeyed as they change, and failures behind the proxy are told', async (t) => {
    const company = await useCompany(t, { settings: (proxy) => ({ 'http.proxy': proxy.href }) });
    const { window, consumer, notion, proxy, proxyUrl, server, stranger, testSuccess } = company;

    await testSuccess('the editor’s http.proxy');

    await t.test('a sign-in bypasses the proxy for a host in http.noProxy', async () => {
      await consumer.changeSetting('http.noProxy', [hostname]);
      // Ends the connections that are open through it.
      proxy.change(server);
      const tunnels = proxy.tunnels.length;
      await window.runCommand('Notion MCP: Sign In');
      await window.notifications.take('cannot be reached');
      assert.equal(proxy.tunnels.length, tunnels);
      await consumer.changeSetting('http.noProxy', undefined);
    });

    await t.test(
      'a tool call in chat, a sign-in and a test of the connection tell a certificate, a proxy’s password, a stopped proxy and an unknown server name each in one sentence',
      async () => {
        const { host } = new URL(notion.origin);
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
        const opened = proxy.tunnels.length;
        assert.match(await call(), /Ada Lovelace/);
        assert.equal(proxy.tunnels.length, opened, 'a second call uses the connection of the first');
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
      },
    );
  });

  test('the environment’s HTTPS_PROXY is obeyed, and failures behind the proxy are told', async (t) => {
    const company = await useCompany(t, { environment: (proxy) => ({ HTTPS_PROXY: proxy.href }) });
    const { window, notion, proxy, server, stranger, testSuccess } = company;

    await testSuccess('the environment’s HTTPS_PROXY');

    await t.test(
      'a sign-in that the proxy rejects is reported as a proxy failure, with a button to try again',
      async () => {
        notion.log.clear();
        proxy.change({ password: 'another' });
        await window.runCommand('Notion MCP: Sign In');
        const { severity, buttons } = await window.notifications.take('The proxy did not let the request');
        assert.deepEqual(
          { severity, buttons },
          { severity: 'error', buttons: ['Open Proxy Setting', 'Try Again', 'Show Log'] },
        );
        assert.deepEqual(notion.requests(), []);
      },
    );

    await t.test('an untrusted certificate is reported, and no request reaches the server', async () => {
      notion.log.clear();
      proxy.change({ ...server, host: '127.0.0.1', port: stranger.port });
      await window.runCommand('Notion MCP: Sign In');
      const { severity, buttons } = await window.notifications.take('is not trusted on this computer');
      assert.deepEqual({ severity, buttons }, { severity: 'error', buttons: ['Try Again', 'Show Log'] });
      assert.deepEqual(stranger.received, []);
      assert.deepEqual(notion.requests(), []);
    });
  });
});
