import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { directoryVariable } from '../editor/consumer/protocol.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { Authority } from '../unit/http/authority.ts';
import { startProxy } from '../unit/http/connectProxy.ts';
import { allow } from './consentPage.ts';
import { Consumer } from './consumer.ts';
import { Editor } from './driver/editor.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { consumerVsix, extensionVsix } from './driver/vsix.ts';

// This name has no DNS entry, so every request that reaches the server went through the proxy.
const hostname = 'notion.test';
const password = 'open sesame';
const ada = { user: 'Ada Lovelace', workspace: 'Engineering Wiki' };
const label = 'Ada Lovelace (Engineering Wiki)';

interface Company {
  settings?: (proxy: URL) => Record<string, unknown>;
  environment?: (proxy: URL) => Record<string, string>;
  /** Whether the system trusts the private authority. */
  trusted: boolean;
  /** The password that the editor sends to the proxy. */
  password: string;
}

/** An editor in a company network, with a proxy and a server whose certificate is from a private authority. */
class CompanyEditor {
  readonly #cleanups: (() => unknown)[] = [];
  notion!: NotionServer;
  window!: EditorWindow;
  consumer!: Consumer;
  tunnels: string[] = [];

  async start({ settings, environment, trusted, password: usedPassword }: Company): Promise<void> {
    const scope = { after: (cleanUp: () => unknown) => this.#cleanups.unshift(cleanUp) };
    const authority = await Authority.create(scope);
    this.notion = await startNotionServer({
      version: 'today',
      tls: { name: hostname, ...(await authority.issue(`DNS:${hostname}`)) },
    });
    scope.after(() => this.notion.close());
    const proxy = await startProxy(scope, { password, ...this.notion.address });
    this.tunnels = proxy.tunnels;
    const proxyUrl = new URL(proxy.url);
    proxyUrl.username = 'someone';
    proxyUrl.password = usedPassword;
    const directory = await mkdtemp(join(tmpdir(), 'consumers-'));
    scope.after(() => rm(directory, { recursive: true, force: true }));
    const editor = await Editor.start({
      extensions: [extensionVsix, consumerVsix],
      settings: {
        'notionMcp.serverUrl': this.notion.mcpUrl,
        'http.systemCertificatesNode': true,
        ...settings?.(proxyUrl),
      },
      environment: {
        [directoryVariable]: directory,
        // OpenSSL loads the system's certificates from this file.
        ...(trusted && { SSL_CERT_FILE: authority.certFile }),
        ...environment?.(proxyUrl),
      },
      trustedOrigins: [`https://${hostname}:*`],
      browserArguments: [
        `--host-resolver-rules=MAP ${hostname} ${this.notion.address.host}`,
        '--ignore-certificate-errors',
      ],
    });
    scope.after(() => editor.stop());
    this.window = await editor.openWindow();
    this.consumer = await Consumer.waitFor(directory);
  }

  async stop(): Promise<void> {
    for (const cleanUp of this.#cleanups) {
      await cleanUp();
    }
  }
}

const proxySources: Record<string, Pick<Company, 'settings' | 'environment'>> = {
  'the editor’s http.proxy': { settings: (proxy) => ({ 'http.proxy': proxy.href }) },
  'the environment’s HTTPS_PROXY': { environment: (proxy) => ({ HTTPS_PROXY: proxy.href }) },
};

for (const [source, company] of Object.entries(proxySources)) {
  describe(`behind a proxy with a password, configured by ${source}, and with a private certificate authority`, {
    timeout: 120_000,
  }, () => {
    const editor = new CompanyEditor();
    before(() => editor.start({ ...company, trusted: true, password }));
    after(() => editor.stop());

    test(`a sign-in, its identity request and a renewal use the proxy configured by ${source}`, async () => {
      const { window, notion, consumer } = editor;
      await window.runCommand('Notion MCP: Sign In');
      await window.dialog.click('Continue');
      const tab = await window.nextTab();
      await allow(tab, ada);
      await window.notifications.waitFor('Connected as Ada Lovelace in Engineering Wiki');
      await tab.close();
      assert.deepEqual(await consumer.accounts(), [label]);
      const renewals = notion.requests({ path: '/token' }).length;
      await window.runCommand('Notion MCP: Refresh Session');
      await window.notifications.waitFor(`Refreshed ${label}`);
      assert.equal(notion.requests({ path: '/token' }).length, renewals + 1);
      assert.ok(editor.tunnels.includes(new URL(notion.origin).host));
    });
  });
}

describe('behind a proxy that http.noProxy excludes for this server', { timeout: 120_000 }, () => {
  const editor = new CompanyEditor();
  const settings = (proxy: URL) => ({ 'http.proxy': proxy.href, 'http.noProxy': [hostname] });
  before(() => editor.start({ settings, trusted: true, password }));
  after(() => editor.stop());

  test('a sign-in bypasses the proxy for a host in http.noProxy', async () => {
    await editor.window.runCommand('Notion MCP: Sign In');
    await editor.window.notifications.waitFor('cannot be reached');
    assert.deepEqual(editor.tunnels, []);
  });
});

describe('behind a proxy that rejects the password', { timeout: 120_000 }, () => {
  const editor = new CompanyEditor();
  before(() => editor.start({ ...proxySources['the environment’s HTTPS_PROXY'], trusted: true, password: 'guessed' }));
  after(() => editor.stop());

  test('a sign-in that the proxy rejects is reported as a proxy failure, with a button to try again', async () => {
    await editor.window.runCommand('Notion MCP: Sign In');
    const { severity, buttons } = await editor.window.notifications.waitFor('The proxy did not let the request');
    assert.deepEqual(
      { severity, buttons },
      { severity: 'error', buttons: ['Open Proxy Setting', 'Try Again', 'Show Log'] },
    );
    assert.deepEqual(editor.notion.requests(), []);
  });
});

describe('behind a proxy, with an untrusted certificate authority', { timeout: 120_000 }, () => {
  const editor = new CompanyEditor();
  before(() => editor.start({ ...proxySources['the environment’s HTTPS_PROXY'], trusted: false, password }));
  after(() => editor.stop());

  test('an untrusted certificate is reported, and no request reaches the server', async () => {
    await editor.window.runCommand('Notion MCP: Sign In');
    const { severity, buttons } = await editor.window.notifications.waitFor('is not trusted on this computer');
    assert.deepEqual({ severity, buttons }, { severity: 'error', buttons: ['Try Again', 'Show Log'] });
    assert.deepEqual(editor.notion.requests(), []);
  });
});
