import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import type { Accounts } from '../../src/accounts/accounts.ts';
import { Log, type LogSink } from '../../src/core/log.ts';
import { systemRandomness as randomness } from '../../src/core/random.ts';
import type { ChannelName } from '../../src/signIn/channel.ts';
import { DiscoveryCache } from '../../src/signIn/discoveryCache.ts';
import type { SignInResult } from '../../src/signIn/exchange.ts';
import { PendingSignIns } from '../../src/signIn/pending.ts';
import { SignIn } from '../../src/signIn/signIn.ts';
import { approve } from '../notion/approve.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { files, Machine } from '../unit/accounts/machine.ts';
import { FakeClock } from '../unit/fakeClock.ts';

const redirectUri = 'http://127.0.0.1:50123/callback';
const http = createPlatformHttp({ userAgent: 'test' });

function keptIn(lines: string[]): LogSink {
  const keep = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  return { error: keep('error'), warn: keep('warn'), info: keep('info'), debug: keep('debug') };
}

/** One window's sign-ins, with the browser in the test's hands: each authorization URL that was opened. */
class Desk {
  readonly opened: string[] = [];
  readonly asked: string[] = [];
  /** Channels that were made ready. */
  readonly ready: ChannelName[] = [];
  readonly pending: PendingSignIns;
  readonly signIn: SignIn;
  readonly clock = new FakeClock(Date.now());
  readonly logLines: string[] = [];
  readonly #log = new Log(keptIn(this.logLines));
  readonly #notion: NotionServer;
  readonly #waiting: (() => void)[] = [];

  constructor(notion: NotionServer, machine: Machine, accounts: Accounts, channels: ChannelName[]) {
    this.#notion = notion;
    const log = this.#log;
    const memory = new Map<string, unknown>();
    this.pending = new PendingSignIns(
      {
        get: <T>(key: string) => memory.get(key) as T | undefined,
        update: async (key, value) => void memory.set(key, value),
      },
      machine.clock,
      log,
    );
    this.signIn = new SignIn({
      http,
      accounts,
      pending: this.pending,
      discoveryCache: new DiscoveryCache(machine.clock),
      channels: () => channels,
      openChannel: async (name) => {
        this.ready.push(name);
        // All are told by the URI handler, so that one desk stands for every channel.
        return { name: 'uriHandler', redirectUri: `${redirectUri}?channel=${name}`, close: () => undefined };
      },
      configuredClientId: () => undefined,
      openBrowser: async (url) => {
        this.opened.push(url);
        for (const wake of this.#waiting.splice(0)) {
          wake();
        }
        return true;
      },
      defaultServerUrl: 'https://mcp.notion.com/mcp',
      clientName: 'Test',
      clock: this.clock,
      randomness,
    });
  }

  run(signal = new AbortController().signal): Promise<SignInResult> {
    return this.signIn.run({
      log: this.#log.operation('sign-in', randomness),
      serverUrl: new URL(this.#notion.mcpUrl),
      scopes: ['default'],
      signal,
      onStage: () => undefined,
      confirmHosts: async (mcpHost, authorizationHost) => {
        this.asked.push(`${mcpHost} ${authorizationHost}`);
        return true;
      },
    });
  }

  /** Waits until the browser was opened `count` times. */
  async browser(count: number): Promise<string[]> {
    while (this.opened.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.opened;
  }
}

describe('a sign-in against the Notion-shaped server', { timeout: 60_000 }, () => {
  let notion: NotionServer;

  before(async () => {
    notion = await startNotionServer({ version: 'next' });
  });
  after(() => notion.close());
  beforeEach(() => {
    notion.faults.clear();
    notion.log.clear();
  });

  async function desk(
    t: TestContext,
    channels: ChannelName[] = ['uriHandler'],
  ): Promise<Desk & { labels: () => string[] }> {
    const machine = await Machine.start(t);
    const window = await machine.open({ serverUrl: notion.mcpUrl });
    return Object.assign(new Desk(notion, machine, window.accounts, channels), { labels: () => window.labels });
  }

  /** The requests of the editor; those of the browser go to /authorize. */
  function paths(): string[] {
    return notion
      .requests()
      .map(({ path }) => path)
      .filter((path) => path !== '/authorize');
  }

  test('costs two requests for discovery, one each for registration, tokens and identity; the next one no discovery', async (t) => {
    const { run, browser, pending } = bound(await desk(t));
    const first = run();
    await pending.receive((await approve((await browser(1))[0] ?? '')).search.slice(1));
    await first;
    assert.deepEqual(paths(), [
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-authorization-server',
      '/register',
      '/token',
      '/mcp',
    ]);
    notion.log.clear();
    const second = run();
    await pending.receive((await approve((await browser(2))[1] ?? '')).search.slice(1));
    await second;
    assert.deepEqual(paths(), ['/register', '/token', '/mcp']);
  });

  test('can be followed through the log, request by request, and no secret or person is in it', async (t) => {
    const all = await desk(t);
    const { run, browser, pending } = bound(all);
    const signingIn = run();
    await pending.receive((await approve((await browser(1))[0] ?? '')).search.slice(1));
    await signingIn;
    const lines = all.logLines;
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

  test('goes on after every attacker’s answer, and ends with the true one', async (t) => {
    const { run, browser, pending, labels } = bound(await desk(t));
    const signingIn = run();
    const url = (await browser(1))[0] ?? '';
    const state = new URL(url).searchParams.get('state') ?? '';
    const answer = (await approve(url)).searchParams;
    const code = answer.get('code') ?? '';
    const right = new URLSearchParams(answer);
    const attacks = {
      'no state': `code=${code}`,
      'a foreign state': `code=${code}&state=foreign`,
      'two states': `code=${code}&state=${state}&state=foreign`,
      'two codes': `code=${code}&code=stolen&state=${state}`,
      'another issuer': `code=${code}&state=${state}&iss=https%3A%2F%2Fevil.example`,
      'no issuer': `code=${code}&state=${state}`,
      'neither code nor error': `state=${state}&iss=${encodeURIComponent(notion.origin)}`,
      nothing: '',
    };
    for (const [name, query] of Object.entries(attacks)) {
      const reception = await pending.receive(query);
      assert.ok(reception === 'foreign' || reception === 'unsafe', `${name}: ${reception}`);
    }
    assert.deepEqual(notion.requests({ path: '/token' }), [], 'no code left us');
    assert.equal(await pending.receive(right.toString()), 'accepted');
    await signingIn;
    assert.equal(labels().length, 1);
    assert.equal(await pending.receive(right.toString()), 'ended', 'a replay');
    assert.equal(notion.requests({ path: '/token' }).length, 1);
  });

  test('does not mix with another that waits beside it, whichever answer comes first', async (t) => {
    const { run, browser, pending, labels } = bound(await desk(t));
    const first = run();
    await browser(1);
    const second = run();
    const [one = '', two = ''] = await browser(2);
    await pending.receive((await approve(two, { user: 'user-grace' })).search.slice(1));
    assert.equal((await second).grant.identity?.userName, 'Grace Hopper');
    await pending.receive((await approve(one)).search.slice(1));
    assert.equal((await first).grant.identity?.userName, 'Ada Lovelace');
    assert.equal(labels().length, 2);
  });

  test('takes the next channel without a question when the server refuses the redirect', async (t) => {
    const { run, browser, pending } = bound(await desk(t, ['uriHandler', 'loopback']));
    const body = JSON.stringify({ error: 'invalid_redirect_uri' });
    const headers = { 'content-type': 'application/json' };
    // Once for each application type that is tried (A27).
    notion.fault({ path: '/register', times: 2 }, { kind: 'answer', status: 400, body, headers });
    const signingIn = run();
    const [url = ''] = await browser(1);
    assert.match(new URL(url).searchParams.get('redirect_uri') ?? '', /channel=loopback/);
    await pending.receive((await approve(url)).search.slice(1));
    await signingIn;
  });

  test('makes the way back ready while discovery is still under way', async (t) => {
    const { run, ready } = bound(await desk(t));
    const hold = notion.hold({ path: '/.well-known/oauth-protected-resource/mcp' });
    const cancel = new AbortController();
    const signingIn = run(cancel.signal);
    await hold.held;
    assert.deepEqual(ready, ['uriHandler']);
    cancel.abort();
    await assert.rejects(signingIn, { kind: 'cancelled' });
    hold.release();
  });

  test('names a server that is not Notion’s before the browser opens', async (t) => {
    const { run, browser, asked, pending } = bound(await desk(t));
    const signingIn = run();
    const [url = ''] = await browser(1);
    const { host } = new URL(notion.origin);
    assert.deepEqual(asked, [`${host} ${host}`]);
    await pending.receive((await approve(url)).search.slice(1));
    await signingIn;
  });

  for (const path of ['/.well-known/oauth-protected-resource/mcp', '/register', '/token']) {
    test(`is over at once for who cancels while ${path} does not answer, and stores nothing`, async (t) => {
      const { run, browser, pending, labels } = bound(await desk(t));
      const hold = notion.hold({ path });
      const cancel = new AbortController();
      const signingIn = run(cancel.signal);
      if (path === '/token') {
        await pending.receive((await approve((await browser(1))[0] ?? '')).search.slice(1));
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

  test('that cannot be stored says so in no words of the disk’s, and gives its tokens back', async (t) => {
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
    const unlucky = new Desk(notion, machine, accounts, ['uriHandler']);
    const signingIn = unlucky.run();
    await unlucky.pending.receive((await approve((await unlucky.browser(1))[0] ?? '')).search.slice(1));
    await assert.rejects(signingIn, { kind: 'transient', message: 'transient at storage: not_stored' });
    assert.equal(notion.requests({ path: '/token' }).length, 2, 'the exchange and the revocation');
    assert.ok(unlucky.logLines.some((line) => line.includes('could not be stored')));
    assert.ok(!unlucky.logLines.join().includes('ada'));
  });

  test('ends after five minutes without an answer, and a late one stores nothing', async (t) => {
    const all = await desk(t);
    const { run, browser, pending, labels } = bound(all);
    const signingIn = run();
    const [url = ''] = await browser(1);
    const late = await approve(url);
    all.clock.advance(5 * 60_000);
    await assert.rejects(signingIn, { kind: 'cancelled', message: /browser_limit/ });
    assert.equal(await pending.receive(late.search.slice(1)), 'ended');
    assert.deepEqual(labels(), []);
  });

  test('that the person refuses ends with that', async (t) => {
    const { run, browser, pending } = bound(await desk(t));
    const signingIn = run();
    const answer = await approve((await browser(1))[0] ?? '', { allow: false });
    assert.equal(await pending.receive(answer.search.slice(1)), 'declined');
    await assert.rejects(signingIn, { kind: 'accessDenied' });
  });
});

/** The desk's parts, to be used without it. */
function bound(desk: Desk & { labels: () => string[] }) {
  return {
    run: desk.run.bind(desk),
    browser: desk.browser.bind(desk),
    pending: desk.pending,
    asked: desk.asked,
    ready: desk.ready,
    labels: desk.labels,
  };
}
