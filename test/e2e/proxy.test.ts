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

// No name server knows it: whoever reaches it went through the proxy.
const name = 'notion.test';
const password = 'open sesame';
const ada = { user: 'Ada Lovelace', workspace: 'Engineering Wiki' };
const label = 'Ada Lovelace (Engineering Wiki)';

interface Company {
  settings?: (proxy: URL) => Record<string, unknown>;
  environment?: (proxy: URL) => Record<string, string>;
  trusted: boolean;
  password: string;
}

/** An editor in a company: the server has a certificate of a private authority, and a proxy leads to it. */
class CompanyEditor {
  readonly #ends: (() => unknown)[] = [];
  notion!: NotionServer;
  window!: EditorWindow;
  consumer!: Consumer;
  tunnels: string[] = [];

  async start({ settings, environment, trusted, password: used }: Company): Promise<void> {
    const scope = { after: (end: () => unknown) => this.#ends.unshift(end) };
    const authority = await Authority.create(scope);
    this.notion = await startNotionServer({
      version: 'today',
      tls: { name, ...(await authority.issue(`DNS:${name}`)) },
    });
    scope.after(() => this.notion.close());
    const proxy = await startProxy(scope, { password, ...this.notion.address });
    this.tunnels = proxy.tunnels;
    const proxyUrl = new URL(proxy.url);
    proxyUrl.username = 'someone';
    proxyUrl.password = used;
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
        // The system's certificates, as OpenSSL finds them.
        ...(trusted && { SSL_CERT_FILE: authority.certFile }),
        ...environment?.(proxyUrl),
      },
      trustedOrigins: [`https://${name}:*`],
      browserArguments: [
        `--host-resolver-rules=MAP ${name} ${this.notion.address.host}`,
        '--ignore-certificate-errors',
      ],
    });
    scope.after(() => editor.stop());
    this.window = await editor.openWindow();
    this.consumer = await Consumer.appears(directory);
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) {
      await end();
    }
  }
}

const ways: Record<string, Pick<Company, 'settings' | 'environment'>> = {
  'the editor’s http.proxy': { settings: (proxy) => ({ 'http.proxy': proxy.href }) },
  'the environment’s HTTPS_PROXY': { environment: (proxy) => ({ HTTPS_PROXY: proxy.href }) },
};

for (const [way, company] of Object.entries(ways)) {
  describe(`behind a proxy with a password, known from ${way}, and a private authority`, { timeout: 120_000 }, () => {
    const editor = new CompanyEditor();
    before(() => editor.start({ ...company, trusted: true, password }));
    after(() => editor.stop());

    test('sign-in, identity and renewal go through the proxy', async () => {
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

describe('behind a proxy that http.noProxy keeps from this server', { timeout: 120_000 }, () => {
  const editor = new CompanyEditor();
  const settings = (proxy: URL) => ({ 'http.proxy': proxy.href, 'http.noProxy': [name] });
  before(() => editor.start({ settings, trusted: true, password }));
  after(() => editor.stop());

  test('the proxy is not asked', async () => {
    await editor.window.runCommand('Notion MCP: Sign In');
    await editor.window.notifications.waitFor('cannot be reached');
    assert.deepEqual(editor.tunnels, []);
  });
});

describe('behind a proxy that does not know the password', { timeout: 120_000 }, () => {
  const editor = new CompanyEditor();
  before(() => editor.start({ ...ways['the environment’s HTTPS_PROXY'], trusted: true, password: 'guessed' }));
  after(() => editor.stop());

  test('one sentence names the proxy, and a button tries again', async () => {
    await editor.window.runCommand('Notion MCP: Sign In');
    const { severity, buttons } = await editor.window.notifications.waitFor('The proxy did not let the request');
    assert.deepEqual(
      { severity, buttons },
      { severity: 'error', buttons: ['Open Proxy Setting', 'Try Again', 'Show Log'] },
    );
    assert.deepEqual(editor.notion.requests(), []);
  });
});

describe('behind a proxy, with an authority that nobody trusts', { timeout: 120_000 }, () => {
  const editor = new CompanyEditor();
  before(() => editor.start({ ...ways['the environment’s HTTPS_PROXY'], trusted: false, password }));
  after(() => editor.stop());

  test('one sentence names the certificate, and nothing is sent', async () => {
    await editor.window.runCommand('Notion MCP: Sign In');
    const { severity, buttons } = await editor.window.notifications.waitFor('is not trusted on this computer');
    assert.deepEqual({ severity, buttons }, { severity: 'error', buttons: ['Try Again', 'Show Log'] });
    assert.deepEqual(editor.notion.requests(), []);
  });
});
