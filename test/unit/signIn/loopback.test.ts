import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { listen } from '#platform/listen';
import { systemRandomness } from '../../../src/core/random.ts';
import type { CallbackResult, OpenChannel } from '../../../src/signIn/channel.ts';
import { renderCompletionPage } from '../../../src/signIn/completionPage.ts';
import { openLoopbackChannel } from '../../../src/signIn/loopback.ts';
import { FakeClock } from '../fakeClock.ts';

const template = readFileSync(new URL('../../../media/completionPage.html', import.meta.url), 'utf8');
const completionPage = (outcome: 'allowed' | 'declined') =>
  renderCompletionPage(template, {
    language: 'en',
    title: `It was ${outcome} <b>`,
    sentence: 'Return to your editor.',
  });

async function open(path?: string): Promise<{ channel: OpenChannel; clock: FakeClock; heard: string[] }> {
  assert.ok(listen);
  const clock = new FakeClock();
  const heard: string[] = [];
  const channel = await openLoopbackChannel({ listen, completionPage, clock, randomness: systemRandomness, path });
  const receive = async (query: string): Promise<CallbackResult> => {
    heard.push(query);
    return query === 'right' ? 'accepted' : query === 'no' ? 'declined' : 'foreign';
  };
  await channel.collect?.(receive, new AbortController().signal);
  return { channel, clock, heard };
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

/** Whether nobody listens there any more. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

test('the first valid answer is led on to an address without a code, whose page says how it ended', async () => {
  const { channel } = await open();
  const { status, headers } = await get(`${channel.redirectUri}?right`);
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

test('a refusal has its own page', async () => {
  const { channel } = await open();
  const { headers } = await get(`${channel.redirectUri}?no`);
  const page = await get(new URL(headers.location ?? '', channel.redirectUri).href);
  assert.match(page.body, /It was declined/);
  channel.close();
});

test('every other request gets an empty 404 and leaves the sign-in waiting', async () => {
  const { channel, heard, clock } = await open();
  const { origin, host } = new URL(channel.redirectUri);
  const strangers: [string, Parameters<typeof get>[1]?][] = [
    [`${channel.redirectUri}?foreign`],
    [channel.redirectUri],
    [`${origin}/?right`],
    [`${origin}/callback?right`],
    [`${channel.redirectUri}/?right`],
    [`${channel.redirectUri}?right`, { method: 'POST' }],
    [`${channel.redirectUri}?right`, { method: 'HEAD' }],
    [`${channel.redirectUri}?right`, { headers: { host: 'evil.example' } }],
    [`${channel.redirectUri}?right`, { headers: { host: host.replace('127.0.0.1', 'localhost') } }],
  ];
  for (const [address, options] of strangers) {
    const { status, body } = await get(address, options);
    assert.deepEqual([status, body], [404, ''], `${address} ${JSON.stringify(options)}`);
  }
  assert.deepEqual(heard, ['foreign', '']);
  assert.equal((await get(`${channel.redirectUri}?right`)).status, 303);
  assert.equal((await get(`${channel.redirectUri}?right`)).status, 404, 'an answer counts once');
  channel.close();
  clock.advance(10_000);
});

test('it listens on 127.0.0.1 and nowhere else, at a path that cannot be guessed', async () => {
  const { channel } = await open();
  const { port, pathname } = new URL(channel.redirectUri);
  assert.match(pathname, /^\/[0-9a-f]{32}$/);
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address?.family === 'IPv4' && !address.internal);
  for (const address of others) {
    await assert.rejects(get(`http://${address?.address}:${port}${pathname}?right`));
  }
  channel.close();
});

test('a configured client has its fixed path', async () => {
  const { channel } = await open('/callback');
  assert.equal(new URL(channel.redirectUri).pathname, '/callback');
  channel.close();
});

test('it stops listening when the sign-in ends, and in bounded time when the last page is never fetched', async () => {
  const unanswered = await open();
  unanswered.channel.close();
  assert.equal(await isFree(Number(new URL(unanswered.channel.redirectUri).port)), true);
  const answered = await open();
  await get(`${answered.channel.redirectUri}?right`);
  answered.channel.close();
  answered.clock.advance(10_000);
  assert.equal(await isFree(Number(new URL(answered.channel.redirectUri).port)), true);
});
