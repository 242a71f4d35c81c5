import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test';
import type { ChannelName } from '../../src/signIn/channel.ts';
import { approve } from '../notion/approve.ts';
import type { Fault } from '../notion/faults.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { files, Machine } from '../unit/accounts/machine.ts';
import { SignInWindow } from './signInWindow.ts';

describe('a sign-in against the Notion-shaped server', () => {
  let notion: NotionServer;

  before(async () => {
    notion = await startNotionServer({ version: 'next' });
  });
  after(() => notion.close());
  beforeEach(() => {
    notion.faults.clear();
    notion.log.clear();
  });

  async function openWindow(
    t: TestContext,
    channels: ChannelName[] = ['uriHandler'],
  ): Promise<SignInWindow & { labels: () => string[] }> {
    const machine = await Machine.start(t);
    const window = await machine.open({ serverUrl: notion.mcpUrl });
    return Object.assign(new SignInWindow(notion, window.accounts, channels), { labels: () => window.labels });
  }

  /** The paths of the editor's requests; the browser's go to /authorize and /callback. */
  function paths(): string[] {
    return notion
      .requests()
      .map(({ path }) => path)
      .filter((path) => path !== '/authorize' && path !== '/callback');
  }

  test('each sign-in sends three requests for discovery and one each for registration, tokens and identity', async (t) => {
    const { run, waitForBrowser, pending } = await openWindow(t);
    for (const count of [1, 2]) {
      notion.log.clear();
      const signingIn = run();
      const url = (await waitForBrowser(count)).at(-1) ?? '';
      await pending.receive((await approve(url)).search.slice(1));
      await signingIn;
      assert.deepEqual(paths(), [
        '/mcp',
        '/.well-known/oauth-protected-resource/mcp',
        '/.well-known/oauth-authorization-server',
        '/register',
        '/token',
        // Notion speaks an older revision of MCP, which the first sign-in of a window has to find out.
        ...(count === 1 ? ['/mcp', '/mcp'] : ['/mcp']),
      ]);
    }
  });

  test('a sign-in logs each of its requests under one id, without secrets or names', async (t) => {
    const window = await openWindow(t);
    const { run, waitForBrowser, pending } = window;
    const signingIn = run();
    await pending.receive((await approve((await waitForBrowser(1))[0] ?? '')).search.slice(1));
    await signingIn;
    const lines = window.logLines;
    const [, id = ''] = /(\[sign-in [0-9a-f]{4}\])/.exec(lines[0] ?? '') ?? [];
    assert.ok(id !== '' && lines.every((line) => line.includes(id)), lines.join('\n'));
    const { host } = new URL(notion.origin);
    for (const step of [
      `GET url=${host}/.well-known/oauth-protected-resource/mcp status=200`,
      `GET url=${host}/.well-known/oauth-authorization-server status=200`,
      `POST url=${host}/register status=201`,
      `POST url=${host}/token status=200`,
      `POST url=${host}/mcp status=200`,
    ]) {
      assert.equal(lines.filter((line) => line.startsWith(`debug ${id} ${step} ms=`)).length, 1, step);
    }
    const text = lines.join('\n');
    const { users, workspaces } = notion.directory;
    const forbidden = [...notion.issuedSecrets(), ...[...users, ...workspaces].map(({ name }) => name)];
    assert.deepEqual(
      forbidden.filter((each) => text.includes(each)),
      [],
    );
  });

  test('a sign-in continues after every forged callback and completes with the genuine one', async (t) => {
    const { run, waitForBrowser, pending, labels } = await openWindow(t);
    const signingIn = run();
    const url = (await waitForBrowser(1))[0] ?? '';
    const state = new URL(url).searchParams.get('state') ?? '';
    const callback = (await approve(url)).searchParams;
    const code = callback.get('code') ?? '';
    const genuine = new URLSearchParams(callback);
    const forgedQueries = {
      'no state': `code=${code}`,
      'a foreign state': `code=${code}&state=foreign`,
      'two states': `code=${code}&state=${state}&state=foreign`,
      'two codes': `code=${code}&code=stolen&state=${state}`,
      'another issuer': `code=${code}&state=${state}&iss=https%3A%2F%2Fevil.example`,
      'no issuer': `code=${code}&state=${state}`,
      'neither code nor error': `state=${state}&iss=${encodeURIComponent(notion.origin)}`,
      nothing: '',
    };
    for (const [name, query] of Object.entries(forgedQueries)) {
      const reception = await pending.receive(query);
      assert.ok(reception === 'foreign' || reception === 'unsafe', `${name}: ${reception}`);
    }
    assert.deepEqual(notion.requests({ path: '/token' }), [], 'no code was sent');
    assert.equal(await pending.receive(genuine.toString()), 'accepted');
    await signingIn;
    assert.equal(labels().length, 1);
    assert.equal(await pending.receive(genuine.toString()), 'repeated', 'a replay');
    assert.equal(notion.requests({ path: '/token' }).length, 1);
  });

  test('two pending sign-ins each complete with their own callback, also when the second arrives first', async (t) => {
    const { run, waitForBrowser, pending, labels } = await openWindow(t);
    const first = run();
    await waitForBrowser(1);
    const second = run();
    const [firstUrl = '', secondUrl = ''] = await waitForBrowser(2);
    await pending.receive((await approve(secondUrl, { user: 'user-grace' })).search.slice(1));
    assert.equal((await second).grant.identity?.userName, 'Grace Hopper');
    await pending.receive((await approve(firstUrl)).search.slice(1));
    assert.equal((await first).grant.identity?.userName, 'Ada Lovelace');
    assert.equal(labels().length, 2);
  });

  test('a sign-in uses the next channel without prompting when the authorization server rejects the redirect URI', async (t) => {
    const { run, waitForBrowser, pending } = await openWindow(t, ['uriHandler', 'loopback']);
    const body = JSON.stringify({ error: 'invalid_redirect_uri' });
    const headers = { 'content-type': 'application/json' };
    // Once for each application type that is tried (A27).
    notion.fault({ path: '/register', times: 2 }, { kind: 'respond', status: 400, body, headers });
    const signingIn = run();
    const [url = ''] = await waitForBrowser(1);
    assert.match(new URL(url).searchParams.get('redirect_uri') ?? '', /channel=loopback/);
    await pending.receive((await approve(url)).search.slice(1));
    await signingIn;
  });

  test('a sign-in opens its channel while discovery is still in progress', async (t) => {
    const { run, openedChannels } = await openWindow(t);
    const hold = notion.hold({ path: '/.well-known/oauth-protected-resource/mcp' });
    const cancel = new AbortController();
    const signingIn = run(cancel.signal);
    await hold.held;
    assert.deepEqual(openedChannels, ['uriHandler']);
    cancel.abort();
    await assert.rejects(signingIn, { kind: 'cancelled' });
    hold.release();
  });

  test('a sign-in at a server other than Notion’s asks the user to confirm its hosts before the browser opens', async (t) => {
    const { run, waitForBrowser, confirmedHosts, pending } = await openWindow(t);
    const signingIn = run();
    const [url = ''] = await waitForBrowser(1);
    const { host } = new URL(notion.origin);
    assert.deepEqual(confirmedHosts, [`${host} ${host}`]);
    await pending.receive((await approve(url)).search.slice(1));
    await signingIn;
  });

  for (const path of ['/.well-known/oauth-protected-resource/mcp', '/register', '/token']) {
    test(`a sign-in that is cancelled while ${path} does not respond ends at once and stores nothing`, async (t) => {
      const { run, waitForBrowser, pending, labels } = await openWindow(t);
      const hold = notion.hold({ path });
      const cancel = new AbortController();
      const signingIn = run(cancel.signal);
      if (path === '/token') {
        await pending.receive((await approve((await waitForBrowser(1))[0] ?? '')).search.slice(1));
      }
      await hold.held;
      cancel.abort();
      await assert.rejects(signingIn, { kind: 'cancelled' });
      assert.deepEqual(labels(), []);
      const revoked = path === '/token' ? notion.waitForRequest({ path: '/token', method: 'POST' }) : undefined;
      hold.release();
      await revoked;
      assert.deepEqual(labels(), []);
    });
  }

  const json = { 'content-type': 'application/json' };
  const busy: Fault = { kind: 'respond', status: 503, headers: { 'retry-after': '3' } };
  const unknownClient: Fault = { kind: 'respond', status: 401, body: '{"error":"invalid_client"}', headers: json };
  const code = { path: '/token', grantType: 'authorization_code' };

  for (const [what, target, fault] of [
    ['its registration gets a 503 with Retry-After', { path: '/register' }, busy],
    ['its code gets a 503 with Retry-After before the server acts', code, busy],
    ['its new client is still unknown at the exchange', code, unknownClient],
  ] as const) {
    test(`a sign-in succeeds with one trip to the browser if ${what}, and sends that request twice`, async (t) => {
      const { run, waitForBrowser, pending, labels } = await openWindow(t);
      notion.fault({ ...target, times: 1 }, fault);
      const signingIn = run();
      const urls = await waitForBrowser(1);
      await pending.receive((await approve(urls[0] ?? '')).search.slice(1));
      await signingIn;
      assert.deepEqual(labels(), ['Ada Lovelace (Engineering Wiki)']);
      assert.equal(urls.length, 1);
      assert.equal(notion.requests(target).length, 2);
    });
  }

  test('a sign-in succeeds with one trip to the browser if its new token is still unknown at the MCP server', async (t) => {
    const { run, waitForBrowser, pending, labels } = await openWindow(t);
    const signingIn = run();
    const urls = await waitForBrowser(1);
    notion.fault({ path: '/mcp', times: 1 }, { kind: 'respond', status: 401 });
    await pending.receive((await approve(urls[0] ?? '')).search.slice(1));
    await signingIn;
    assert.deepEqual(labels(), ['Ada Lovelace (Engineering Wiki)']);
    assert.equal(urls.length, 1);
    assert.equal(notion.requests(code).length, 1);
  });

  test('a sign-in succeeds with one trip to the browser if connections are refused before the exchange, and the server sees the code once', async (t) => {
    const window = await openWindow(t);
    const { run, waitForBrowser, pending, labels } = window;
    const signingIn = run();
    const urls = await waitForBrowser(1);
    const callback = await approve(urls[0] ?? '');
    await window.stopServer();
    window.onPause = async () => {
      await notion.listen();
      window.clock.advanceToNextTimer();
    };
    await pending.receive(callback.search.slice(1));
    await signingIn;
    assert.deepEqual(labels(), ['Ada Lovelace (Engineering Wiki)']);
    assert.equal(urls.length, 1);
    assert.equal(notion.requests(code).length, 1);
  });

  test('a code whose connection breaks after the server acted is not presented again', async (t) => {
    const { run, waitForBrowser, pending, labels } = await openWindow(t);
    notion.fault({ ...code, times: 1 }, { kind: 'drop', when: 'after' });
    const signingIn = run();
    const urls = await waitForBrowser(1);
    await pending.receive((await approve(urls[0] ?? '')).search.slice(1));
    await assert.rejects(signingIn, { kind: 'transient', message: /unreachable/ });
    assert.equal(notion.requests(code).length, 1);
    assert.deepEqual(labels(), []);
    assert.equal(urls.length, 1);
  });

  test('a sign-in that cannot be stored revokes its tokens, and neither its error nor the log contains the disk’s error message', async (t) => {
    const machine = await Machine.start(t);
    const secrets = machine.secrets.window();
    const store = (name: string, value: string): Thenable<void> =>
      name.startsWith('grant.') ? Promise.reject(new Error('EACCES /home/ada')) : secrets.store(name, value);
    const { accounts } = await machine.open({
      serverUrl: notion.mcpUrl,
      files: {
        ...files,
        create: (path, text) =>
          path.endsWith('.reserved') ? Promise.reject(new Error('EACCES /home/ada')) : files.create(path, text),
      },
      secrets: {
        get: (name) => secrets.get(name),
        store,
        delete: (name) => secrets.delete(name),
        keys: () => secrets.keys(),
        onDidChange: secrets.onDidChange,
      },
    });
    const window = new SignInWindow(notion, accounts, ['uriHandler']);
    const signingIn = window.run();
    await window.pending.receive((await approve((await window.waitForBrowser(1))[0] ?? '')).search.slice(1));
    await assert.rejects(signingIn, { kind: 'transient', message: 'transient at storage: not_stored' });
    assert.equal(notion.requests({ path: '/token' }).length, 2, 'the exchange and the revocation');
    assert.ok(window.logLines.some((line) => line.includes('could not be stored')));
    assert.ok(!window.logLines.join().includes('ada'));
  });

  test('a sign-in ends after five minutes without a callback, and a late callback stores nothing', async (t) => {
    const window = await openWindow(t);
    const { run, waitForBrowser, pending, labels } = window;
    const signingIn = run();
    const [url = ''] = await waitForBrowser(1);
    const late = await approve(url);
    window.clock.advance(5 * 60_000);
    await assert.rejects(signingIn, { kind: 'cancelled', message: /browser_limit/ });
    assert.equal(await pending.receive(late.search.slice(1)), 'ended');
    assert.deepEqual(labels(), []);
  });

  test('a sign-in that the user denies in the browser fails with accessDenied', async (t) => {
    const { run, waitForBrowser, pending } = await openWindow(t);
    const signingIn = run();
    const callback = await approve((await waitForBrowser(1))[0] ?? '', { allow: false });
    assert.equal(await pending.receive(callback.search.slice(1)), 'declined');
    await assert.rejects(signingIn, { kind: 'accessDenied' });
  });
});
