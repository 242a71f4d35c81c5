import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { Failure, type FailureKind } from '../../../src/oauth/errors.ts';
import type { ChannelName, OpenChannel } from '../../../src/signIn/channel.ts';
import { metadata, resourceAt, serverAt } from '../oauth/notionLike.ts';
import { busy, inTurn, SignInUnderTest } from './signInUnderTest.ts';

const channels = (...names: ChannelName[]) => ({ channels: () => names });
const redirectUriRefused = { status: 400, body: { error: 'invalid_redirect_uri' } };
const otherwiseRefused = { status: 400, body: { error: 'invalid_software_statement' } };
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

test('the page can be opened again during a sign-in, which goes on if the browser does not open this time', async (t) => {
  const signIn = await SignInUnderTest.start(t, {
    openBrowser: async (url) => {
      const isFirst = signIn.openedUrls.length === 0;
      await signIn.openBrowser(url);
      return isFirst || Promise.reject(new Error('no browser'));
    },
  });
  signIn.decision = undefined;
  const signingIn = signIn.run();
  (await signIn.waitForBrowser(1))?.openAgain();
  await signIn.waitForBrowser(2);
  const [url, again] = signIn.openedUrls;
  assert.equal(again, url);
  assert.equal(await signIn.respond(url), 'accepted');
  await signingIn;
});

test('a sign-in without any channel fails before it sends a request', async (t) => {
  const signIn = await SignInUnderTest.start(t, channels());
  await assert.rejects(signIn.run(), noChannel);
  assert.deepEqual(signIn.server.received, []);
});

test('the default server needs no confirmation, unless its sign-in page is on another origin', async (t) => {
  const signIn = await SignInUnderTest.start(t);
  const { origin, routes } = signIn.server;
  const confirmed: string[] = [];
  const confirmHosts = async (...hosts: string[]) => confirmed.push(...hosts) > 0;
  await signIn.run({ confirmHosts });
  assert.deepEqual(confirmed, []);

  const elsewhere = await SignInUnderTest.start(t, { defaultServerUrl: `${origin}/mcp` });
  const page = 'https://login.example/authorize';
  routes[serverAt] = { body: metadata(origin, { authorization_endpoint: page }) };
  await elsewhere.run({ serverUrl: new URL(`${origin}/mcp`), confirmHosts });
  assert.deepEqual(confirmed, [new URL(origin).host, 'login.example']);
});

test('a sign-in whose hosts the user declines ends before anything is registered, and closes its channel', async (t) => {
  const signIn = await SignInUnderTest.start(t, { defaultServerUrl: 'https://mcp.notion.com/mcp' });
  const declined = signIn.run({ confirmHosts: async () => false });
  await assert.rejects(declined, { kind: 'cancelled', message: /hosts_declined/ });
  await signIn.closed;
  assert.deepEqual(signIn.openedUrls, []);
  assert.deepEqual(signIn.server.asked(), ['POST /mcp', `GET ${resourceAt}/mcp`, `GET ${serverAt}`]);
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

/** Begins a sign-in and returns once it waits; `release` ends what it waits for. */
type Step = (t: TestContext, signal: AbortSignal) => Promise<Waiting>;
interface Waiting {
  signIn: SignInUnderTest;
  signingIn: Promise<unknown>;
  release: () => void;
  opensBrowser?: true;
  hasTokens?: true;
}

const steps: Record<string, Step> = {
  'its channel opens': async (t, signal) => {
    const opening = Promise.withResolvers<OpenChannel>();
    const signIn = await SignInUnderTest.start(t, { openChannel: () => opening.promise });
    const signingIn = signIn.run({ signal });
    return { signIn, signingIn, release: () => opening.resolve(signIn.channel('uriHandler')) };
  },
  'the user is asked to confirm its hosts': async (t, signal) => {
    const asked = Promise.withResolvers<void>();
    const choice = Promise.withResolvers<boolean>();
    const signIn = await SignInUnderTest.start(t, {
      defaultServerUrl: 'https://mcp.notion.com/mcp',
      // Without a registration to send, only the sign-in itself can notice that it was cancelled.
      configuredClient: () => ({ clientId: 'client' }),
    });
    const confirmHosts = () => {
      asked.resolve();
      return choice.promise;
    };
    const signingIn = signIn.run({ signal, confirmHosts });
    await asked.promise;
    return { signIn, signingIn, release: () => choice.resolve(true) };
  },
  'the editor opens the browser': async (t, signal) => {
    const opening = Promise.withResolvers<boolean>();
    const openBrowser = async (url: string) => {
      await signIn.openBrowser(url);
      return opening.promise;
    };
    const signIn = await SignInUnderTest.start(t, { openBrowser });
    signIn.decision = undefined;
    const signingIn = signIn.run({ signal });
    await signIn.waitForBrowser(1);
    return { signIn, signingIn, release: () => opening.resolve(true), opensBrowser: true };
  },
  'the page is open in the browser': async (t, signal) => {
    const signIn = await SignInUnderTest.start(t);
    signIn.decision = undefined;
    const signingIn = signIn.run({ signal });
    await signIn.waitForBrowser(1);
    return { signIn, signingIn, release: () => undefined, opensBrowser: true };
  },
  'Notion is asked for the user’s identity': async (t, signal) => {
    const held = Promise.withResolvers<ServerResponse>();
    const signIn = await SignInUnderTest.start(t);
    signIn.server.routes['/mcp'] = (_, response) => void held.resolve(response);
    const signingIn = signIn.run({ signal });
    const response = await held.promise;
    const release = () => response.writeHead(503).end();
    return { signIn, signingIn, release, opensBrowser: true, hasTokens: true };
  },
  'its registration pauses': pausing('/register'),
  'the exchange of its code pauses': pausing('/token', { opensBrowser: true }),
  'the request for the user’s identity pauses': pausing('/mcp', { opensBrowser: true, hasTokens: true }),
};

/** A sign-in that pauses as the server is busy at `path`. */
function pausing(path: string, reached: Pick<Waiting, 'opensBrowser' | 'hasTokens'> = {}): Step {
  return async (t, signal) => {
    const paused = Promise.withResolvers<void>();
    const signIn = await SignInUnderTest.start(t);
    signIn.server.routes[path] = inTurn(busy, signIn.server.routes[path] ?? assert.fail());
    signIn.onPause = paused.resolve;
    const signingIn = signIn.run({ signal });
    await paused.promise;
    return { signIn, signingIn, release: () => signIn.clock.advance(60_000), ...reached };
  };
}

for (const [step, begin] of Object.entries(steps)) {
  test(`a sign-in that is cancelled while ${step} ends at once, closes its channel and stores nothing`, async (t) => {
    const cancel = new AbortController();
    const { signIn, signingIn, release, opensBrowser, hasTokens } = await begin(t, cancel.signal);
    cancel.abort();
    await assert.rejects(signingIn, { kind: 'cancelled' });
    release();
    await signIn.closed;
    assert.deepEqual(signIn.window.labels, []);
    assert.equal(signIn.openedUrls.length, opensBrowser ? 1 : 0);
    const revoked = signIn.server.received.map(({ form }) => form.token).filter(Boolean);
    assert.deepEqual(revoked, hasTokens ? ['refresh'] : []);
  });
}

interface Outcome {
  name: string;
  arrange: (signIn: SignInUnderTest) => void;
  kind: FailureKind;
}

const outcomes: Outcome[] = [
  {
    name: 'is denied in the browser',
    arrange: (signIn) => {
      signIn.decision = 'deny';
    },
    kind: 'accessDenied',
  },
  {
    name: 'cannot be registered',
    arrange: ({ server }) => {
      server.routes['/register'] = otherwiseRefused;
    },
    kind: 'serverRejected',
  },
  {
    name: 'gets no tokens for its code',
    arrange: ({ server }) => {
      server.routes['/token'] = { status: 400, body: { error: 'invalid_grant' } };
    },
    kind: 'invalidGrant',
  },
];

for (const { name, arrange, kind } of outcomes) {
  test(`a sign-in that ${name} closes its channel and stores nothing, and the next one succeeds`, async (t) => {
    const signIn = await SignInUnderTest.start(t);
    const { decision } = signIn;
    const routes = { ...signIn.server.routes };
    arrange(signIn);
    await assert.rejects(signIn.run(), { kind });
    assert.deepEqual(signIn.channels, ['open uriHandler', 'close uriHandler']);
    assert.deepEqual(signIn.window.labels, []);
    signIn.decision = decision;
    Object.assign(signIn.server.routes, routes);
    await signIn.run();
    assert.equal(signIn.window.labels.length, 1);
  });
}

test('A3, A10: a sign-in after the MCP server moved to another authorization server registers a client there', async (t) => {
  const signIn = await SignInUnderTest.start(t);
  const { origin, routes } = signIn.server;
  await signIn.run();
  const issuer = `${origin}/moved`;
  routes[`${resourceAt}/mcp`] = { body: { resource: `${origin}/mcp`, authorization_servers: [issuer] } };
  routes[`${serverAt}/moved`] = {
    body: metadata(issuer, { registration_endpoint: `${issuer}/register`, token_endpoint: `${issuer}/token` }),
  };
  routes['/moved/register'] = { status: 201, body: { client_id: 'other client' } };
  routes['/moved/token'] = routes['/token'] ?? assert.fail();
  const { grant } = await signIn.run();
  assert.equal(grant.authorizationServer.issuer, issuer);
  assert.equal(grant.client.clientId, 'other client');
});

test('A17: a sign-in requests the scopes that a call lacked besides those of the challenge', async (t) => {
  const signIn = await SignInUnderTest.start(t);
  const { origin, routes } = signIn.server;
  routes[`${resourceAt}/mcp`] = {
    body: { resource: `${origin}/mcp`, authorization_servers: [origin], scopes_supported: ['read'] },
  };
  await signIn.run({ stepUpScopes: ['write', 'read'] });
  await signIn.run();
  const scopes = signIn.openedUrls.map((url) => new URL(url).searchParams.get('scope'));
  assert.deepEqual(scopes, ['read write', 'read']);
});

test('a token response without a scope grants the scopes that were requested', async (t) => {
  const signIn = await SignInUnderTest.start(t);
  const { routes } = signIn.server;
  assert.equal((await signIn.run()).grant.tokens.scopes, undefined);
  assert.deepEqual((await signIn.run({ stepUpScopes: ['read', 'write'] })).grant.tokens.scopes, ['read', 'write']);
  routes['/token'] = { body: { access_token: 'access', token_type: 'bearer', scope: 'read' } };
  assert.deepEqual((await signIn.run({ stepUpScopes: ['read', 'write'] })).grant.tokens.scopes, ['read']);
});

test('a sign-in with fewer scopes than the account has is revoked, and the account stays as it is', async (t) => {
  const signIn = await SignInUnderTest.start(t);
  const { routes, received } = signIn.server;
  let clients = 0;
  routes['/register'] = (_, response) => {
    response.writeHead(201, { 'content-type': 'application/json' }).end(`{"client_id":"client${++clients}"}`);
  };
  const { grant } = await signIn.run({ stepUpScopes: ['read', 'write'] });
  routes['/token'] = { body: { access_token: 'lesser', token_type: 'bearer', refresh_token: 'fewer', scope: 'read' } };
  await assert.rejects(signIn.run(), { kind: 'accessDenied', message: /fewer_scopes/ });
  assert.equal(signIn.window.only().grant, grant);
  assert.deepEqual(received.map(({ form }) => form.token).filter(Boolean), ['fewer']);
});

for (const [name, openBrowser] of [
  ['did not open, as after Copy', async () => false],
  ['failed to open', () => Promise.reject(new Error('no browser'))],
] as const) {
  test(`a sign-in whose page the editor ${name} says so, keeps waiting, and completes with its response`, async (t) => {
    const said = Promise.withResolvers<void>();
    let url = '';
    const signIn = await SignInUnderTest.start(t, {
      openBrowser: (opened) => {
        url = opened;
        return openBrowser();
      },
    });
    const signingIn = signIn.run({
      onStage: (stage) => {
        if (stage === 'browserNotOpened') {
          said.resolve();
        }
      },
    });
    await said.promise;
    assert.equal(await signIn.respond(url), 'accepted');
    await signingIn;
    assert.equal(signIn.window.labels.length, 1);
  });
}

test('a response that arrives before the editor says whether it opened the page completes the sign-in, and nothing is said later', async (t) => {
  const opening = Promise.withResolvers<boolean>();
  const signIn = await SignInUnderTest.start(t, {
    openBrowser: async (url) => {
      await signIn.openBrowser(url);
      return opening.promise;
    },
  });
  await signIn.run();
  const stages = [...signIn.stages];
  opening.resolve(false);
  await new Promise(setImmediate);
  assert.deepEqual(signIn.stages, stages);
});

test('a sign-in whose page the editor did not open ends after the time limit', async (t) => {
  const signIn = await SignInUnderTest.start(t, { openBrowser: async () => false });
  const said = Promise.withResolvers<void>();
  const signingIn = signIn.run({ onStage: (stage) => stage === 'browserNotOpened' && said.resolve() });
  await said.promise;
  signIn.clock.advance(5 * 60_000);
  await assert.rejects(signingIn, { kind: 'cancelled', message: /browser_limit/ });
});

test('a refused response is named at once, and is the reason that is given after the time limit', async (t) => {
  const signIn = await SignInUnderTest.start(t);
  signIn.decision = undefined;
  const reasons: unknown[] = [];
  const waiting = Promise.withResolvers<void>();
  const signingIn = signIn.run({
    onStage: (stage, _, choices, refusal) => {
      if (stage === 'callbackRefused') {
        reasons.push(refusal?.details.code, choices !== undefined);
      }
      if (stage === 'waitingForBrowser') {
        waiting.resolve();
      }
    },
  });
  signingIn.catch(() => undefined);
  await waiting.promise;
  await signIn.waitForBrowser(1);
  assert.equal(await signIn.respond(signIn.openedUrls[0], { iss: 'https://evil.example' }), 'unsafe');
  assert.deepEqual(reasons, ['issuer_mismatch', true]);
  signIn.clock.advance(5 * 60_000);
  await assert.rejects(signingIn, { kind: 'unsafe', message: /issuer_mismatch/ });
});
