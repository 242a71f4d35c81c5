import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { listen } from '#platform/listen';
import { systemRandomness } from '../../../src/core/random.ts';
import type { CallbackResult, OpenChannel } from '../../../src/signIn/channel.ts';
import { type CompletionPage, renderCompletionPage } from '../../../src/signIn/completionPage.ts';
import { openLoopbackChannel } from '../../../src/signIn/loopback.ts';
import { closed, openConnections, until } from '../connections.ts';
import { FakeClock } from '../fakeClock.ts';

const template = readFileSync(new URL('../../../media/completionPage.html', import.meta.url), 'utf8');
const completionPage = (outcome: 'allowed' | 'declined') =>
  renderCompletionPage(template, {
    language: 'en',
    title: `It was ${outcome} <b>`,
    sentence: 'Return to your editor.',
  });

async function open(
  path?: string,
  page: CompletionPage = completionPage,
): Promise<{ channel: OpenChannel; clock: FakeClock; queries: string[] }> {
  assert.ok(listen);
  const clock = new FakeClock();
  const queries: string[] = [];
  const channel = await openLoopbackChannel({
    listen,
    completionPage: page,
    clock,
    randomness: systemRandomness,
    path,
  });
  const receive = async (query: string): Promise<CallbackResult> => {
    queries.push(query);
    return query === 'valid' ? 'accepted' : query === 'denied' ? 'declined' : 'foreign';
  };
  await channel.collect?.(receive, new AbortController().signal);
  return { channel, clock, queries };
}

interface Page {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

function get(address: string, { method = 'GET', headers = {} } = {}): Promise<Page> {
  return new Promise((resolve, reject) => {
    request(address, { method, headers, agent: false }, async (response) => {
      resolve({ status: response.statusCode, headers: response.headers, body: await text(response) });
    })
      .on('error', reject)
      .end();
  });
}

/** Whether the port is free again. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

test('the first valid callback is redirected to an address without a code, whose page shows the outcome', async () => {
  const { channel } = await open();
  const { status, headers } = await get(`${channel.redirectUri}?valid`);
  assert.equal(status, 303);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.ok(!headers.location?.includes('?'));
  channel.close();
  const page = await get(new URL(headers.location ?? '', channel.redirectUri).href);
  assert.equal(page.status, 200);
  assert.match(page.body, /<h1>It was allowed &#60;b&#62;<\/h1>/);
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'; style-src 'sha256-/);
  assert.equal(await isFree(Number(new URL(channel.redirectUri).port)), true);
});

test('the browser gets the completion page even if loading it takes longer than strangers may take', async () => {
  const { channel, clock } = await open(undefined, async (outcome) => {
    clock.advance(60_000);
    await setImmediate();
    return completionPage(outcome);
  });
  const { headers } = await get(`${channel.redirectUri}?valid`);
  const page = await get(new URL(headers.location ?? '', channel.redirectUri).href);
  assert.match(page.body, /It was allowed/);
  channel.close();
});

test('the loopback channel shows its own completion page when the user denies access', async () => {
  const { channel } = await open();
  const { headers } = await get(`${channel.redirectUri}?denied`);
  const page = await get(new URL(headers.location ?? '', channel.redirectUri).href);
  assert.match(page.body, /It was declined/);
  channel.close();
});

test('a request other than a valid callback gets an empty 404 and leaves the sign-in waiting', async () => {
  const { channel, queries, clock } = await open();
  const { origin, host } = new URL(channel.redirectUri);
  const invalidRequests: [string, Parameters<typeof get>[1]?][] = [
    [`${channel.redirectUri}?foreign`],
    [channel.redirectUri],
    [`${channel.redirectUri}?${'x'.repeat(20_000)}`],
    [`${origin}/?valid`],
    [`${origin}/callback?valid`],
    [`${channel.redirectUri}/?valid`],
    [`${channel.redirectUri}?valid`, { method: 'POST' }],
    [`${channel.redirectUri}?valid`, { method: 'HEAD' }],
    [`${channel.redirectUri}?valid`, { headers: { host: 'evil.example' } }],
    [`${channel.redirectUri}?valid`, { headers: { host: host.replace('127.0.0.1', 'localhost') } }],
  ];
  for (const [address, options] of invalidRequests) {
    const { status, body } = await get(address, options);
    assert.deepEqual([status, body], [404, ''], `${address} ${JSON.stringify(options)}`);
  }
  assert.deepEqual(queries, ['foreign', '']);
  assert.equal((await get(`${channel.redirectUri}?valid`)).status, 303);
  assert.equal((await get(`${channel.redirectUri}?valid`)).status, 404, 'a callback is accepted only once');
  channel.close();
  clock.advance(10_000);
});

test('the loopback channel listens on 127.0.0.1 only, at a path that cannot be guessed', async () => {
  const { channel } = await open();
  const { port, pathname } = new URL(channel.redirectUri);
  assert.match(pathname, /^\/[0-9a-f]{32}$/);
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address?.family === 'IPv4' && !address.internal);
  for (const address of others) {
    await assert.rejects(get(`http://${address?.address}:${port}${pathname}?valid`));
  }
  channel.close();
});

test('silent connections of another user neither keep the browser out nor outlive the sign-in', async () => {
  const { channel, clock } = await open();
  const port = Number(new URL(channel.redirectUri).port);
  const silent = await openConnections(port, 200);
  const { headers } = await get(`${channel.redirectUri}?valid`);
  await get(new URL(headers.location ?? '', channel.redirectUri).href);
  assert.ok(clock.pendingTimers > 100, 'most of them must still be open');
  channel.close();
  await Promise.all(silent.map(closed));
  assert.equal(clock.pendingTimers, 0);
  assert.equal(await isFree(port), true);
});

test('a silent connection to the loopback channel is closed after 10 seconds', async () => {
  const { channel, clock } = await open();
  const [silent] = await openConnections(Number(new URL(channel.redirectUri).port), 1);
  await until(() => clock.pendingTimers === 1);
  clock.advance(10_000);
  await closed(silent ?? assert.fail());
  channel.close();
});

test('the loopback channel of a configured client uses that client’s fixed path', async () => {
  const { channel } = await open('/callback');
  assert.equal(new URL(channel.redirectUri).pathname, '/callback');
  channel.close();
});

test('the loopback channel closes with its sign-in, or 10 s later if the completion page is not fetched', async () => {
  const cancelled = await open();
  cancelled.channel.close();
  assert.equal(await isFree(Number(new URL(cancelled.channel.redirectUri).port)), true);
  const completed = await open();
  await get(`${completed.channel.redirectUri}?valid`);
  completed.channel.close();
  completed.clock.advance(10_000);
  assert.equal(await isFree(Number(new URL(completed.channel.redirectUri).port)), true);
});
