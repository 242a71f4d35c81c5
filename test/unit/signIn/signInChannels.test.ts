import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import type { ChannelName, OpenChannel } from '../../../src/signIn/channel.ts';
import { resourceAt } from '../oauth/notionLike.ts';
import { otherwiseRefused, SignInUnderTest } from './signInUnderTest.ts';

const channels = (...names: ChannelName[]) => ({ channels: () => names });
const redirectUriRefused = { status: 400, body: { error: 'invalid_redirect_uri' } };
const noChannel = new Failure('misconfigured', { step: 'authorization', code: 'no_channel' });

test('a sign-in tries one channel after the other until the server accepts a redirect URI, and closes each', async (t) => {
  const signIn = await SignInUnderTest.start(t, channels('uriHandler', 'loopback', 'paste'));
  signIn.server.routes['/register'] = ({ body }) =>
    body.includes('/paste') ? { status: 201, body: { client_id: 'client' } } : redirectUriRefused;
  const tried: ChannelName[] = [];
  await signIn.run({ onChannel: (name) => tried.push(name) });
  assert.deepEqual(tried, ['uriHandler', 'loopback', 'paste']);
  assert.deepEqual(signIn.channels, [
    ...['open uriHandler', 'close uriHandler'],
    ...['open loopback', 'close loopback'],
    ...['open paste', 'close paste'],
  ]);
  assert.equal(signIn.openedUrls.length, 1);
  assert.equal(signIn.window.labels.length, 1);
});

test('a sign-in fails with the server’s refusal if no channel’s redirect URI is accepted', async (t) => {
  const signIn = await SignInUnderTest.start(t, channels('uriHandler', 'loopback'));
  signIn.server.routes['/register'] = redirectUriRefused;
  await assert.rejects(signIn.run(), { kind: 'serverRejected', message: /invalid_redirect_uri/ });
  assert.deepEqual(signIn.channels, ['open uriHandler', 'close uriHandler', 'open loopback', 'close loopback']);
});

test('a registration that is refused for another reason than its redirect URI is not tried on the next channel', async (t) => {
  const signIn = await SignInUnderTest.start(t, channels('uriHandler', 'loopback'));
  signIn.server.routes['/register'] = otherwiseRefused;
  await assert.rejects(signIn.run(), { kind: 'serverRejected', message: /invalid_software_statement/ });
  assert.deepEqual(signIn.channels, ['open uriHandler', 'close uriHandler']);
});

test('a sign-in fails if the next channel cannot be opened', async (t) => {
  const signIn = await SignInUnderTest.start(t, {
    ...channels('uriHandler', 'loopback'),
    openChannel: async (name) => (name === 'loopback' ? Promise.reject(noChannel) : signIn.channel(name)),
  });
  signIn.server.routes['/register'] = redirectUriRefused;
  await assert.rejects(signIn.run(), noChannel);
  assert.deepEqual(signIn.channels, ['open uriHandler', 'close uriHandler']);
});

test('the user can move on to the next channel while the browser is open, and then only the new page counts', async (t) => {
  const signIn = await SignInUnderTest.start(t, channels('uriHandler', 'loopback'));
  signIn.decision = undefined;
  const signingIn = signIn.run();
  const choices = await signIn.waitForBrowser(1);
  signIn.decision = 'allow';
  choices?.tryNextChannel?.();
  const last = await signIn.waitForBrowser(2);
  assert.equal(last?.tryNextChannel, undefined, 'no channel is left');
  await signingIn;
  assert.deepEqual(signIn.channels, ['open uriHandler', 'close uriHandler', 'open loopback', 'close loopback']);
  assert.equal(await signIn.respond(signIn.openedUrls[0]), 'ended');
});

test('a sign-in without any channel fails before it sends a request', async (t) => {
  const signIn = await SignInUnderTest.start(t, channels());
  await assert.rejects(signIn.run(), noChannel);
  assert.deepEqual(signIn.server.received, []);
});

test('a channel that opens only after discovery has failed is closed, and discovery’s failure is reported', async (t) => {
  const opening = Promise.withResolvers<OpenChannel>();
  const signIn = await SignInUnderTest.start(t, { openChannel: () => opening.promise });
  signIn.server.routes[`${resourceAt}/mcp`] = { status: 503 };
  await assert.rejects(signIn.run(), { kind: 'transient', message: /discovery/ });
  opening.resolve(signIn.channel('uriHandler'));
  await signIn.closed;
});

test('a channel that cannot be opened after discovery has failed changes nothing about the reported failure', async (t) => {
  const opening = Promise.withResolvers<OpenChannel>();
  const signIn = await SignInUnderTest.start(t, { openChannel: async () => opening.promise });
  signIn.server.routes[`${resourceAt}/mcp`] = { status: 503 };
  await assert.rejects(signIn.run(), { kind: 'transient', message: /discovery/ });
  // Handled by the sign-in: an unhandled rejection fails this test.
  opening.reject(noChannel);
  await assert.rejects(opening.promise);
});

test('a sign-in fails if its channel cannot be opened', async (t) => {
  const opening = Promise.withResolvers<OpenChannel>();
  const signIn = await SignInUnderTest.start(t, {
    defaultServerUrl: 'https://mcp.notion.com/mcp',
    openChannel: () => opening.promise,
  });
  const confirmHosts = async () => {
    opening.reject(noChannel);
    // An unhandled rejection in the meantime fails this test.
    await new Promise(setImmediate);
    return true;
  };
  await assert.rejects(signIn.run({ confirmHosts }), noChannel);
  assert.deepEqual(signIn.openedUrls, []);
});
