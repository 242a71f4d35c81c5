import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Http } from '../../../src/http/client.ts';
import { HttpFailure } from '../../../src/http/errors.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import type { RouteResponse } from '../oauth/loopbackServer.ts';
import { busy, inTurn, SignInUnderTest } from './signInUnderTest.ts';

const unknownClient: RouteResponse = { status: 401, body: { error: 'invalid_client' } };

/** Fails the first request to `path` without sending it, or after the server has received it. */
function failingOnce(path: string, { wasSent }: { wasSent: boolean }): Http {
  let hasFailed = false;
  return async (request) => {
    const { host, pathname } = request.url;
    if (pathname !== path || hasFailed) {
      return fetchHttp(request);
    }
    hasFailed = true;
    if (wasSent) {
      await fetchHttp(request);
    }
    throw new HttpFailure('unreachable', host, { wasSent });
  };
}

interface BadMoment {
  path: string;
  /** What the server responds at first; without it, the connection fails. */
  response?: RouteResponse;
  wasSent?: boolean;
  stage: 'serverBusy' | 'unreachable';
  pauseMs: number;
}

const badMoments: Record<string, BadMoment> = {
  'the registration is refused for 20 seconds': {
    path: '/register',
    response: busy,
    stage: 'serverBusy',
    pauseMs: 20_000,
  },
  'the registration gets no response': { path: '/register', wasSent: true, stage: 'unreachable', pauseMs: 1_000 },
  'the exchange is refused for 20 seconds': { path: '/token', response: busy, stage: 'serverBusy', pauseMs: 20_000 },
  'the exchange cannot be sent': { path: '/token', wasSent: false, stage: 'unreachable', pauseMs: 1_000 },
  'the exchange does not know the new client': {
    path: '/token',
    response: unknownClient,
    stage: 'serverBusy',
    pauseMs: 1_000,
  },
  'the MCP server does not know the new token': {
    path: '/mcp',
    response: { status: 401 },
    stage: 'serverBusy',
    pauseMs: 1_000,
  },
  'the request for the identity is refused for 20 seconds': {
    path: '/mcp',
    response: busy,
    stage: 'serverBusy',
    pauseMs: 20_000,
  },
};

for (const [what, { path, response, wasSent = false, stage, pauseMs }] of Object.entries(badMoments)) {
  test(`a sign-in succeeds with one trip to the browser if ${what} at first, and says what it waits for`, async (t) => {
    const signIn = await SignInUnderTest.start(
      t,
      response === undefined ? { http: failingOnce(path, { wasSent }) } : {},
    );
    const { server } = signIn;
    if (response !== undefined) {
      server.routes[path] = inTurn(response, server.routes[path] ?? assert.fail());
    }
    await signIn.run();
    assert.deepEqual(signIn.window.labels, ['Ada (Wiki)']);
    assert.equal(signIn.openedUrls.length, 1);
    assert.deepEqual(signIn.pausesMs, [pauseMs]);
    assert.ok(signIn.stages.includes(`${stage} ${new URL(server.origin).host}`), signIn.stages.join());
    // Without a token, the MCP server is asked for its challenge.
    const sent = server.received.filter(
      (received) => received.path === path && (path !== '/mcp' || received.headers.authorization !== undefined),
    );
    assert.equal(sent.length, response !== undefined || wasSent ? 2 : 1);
    assert.equal(new Set(sent.map(({ body }) => body)).size, 1, 'the same request');
  });
}

test('a code whose exchange may have reached the server is not presented again, and the sign-in fails', async (t) => {
  const signIn = await SignInUnderTest.start(t, { http: failingOnce('/token', { wasSent: true }) });
  await assert.rejects(signIn.run(), { kind: 'transient', message: /token: unreachable/ });
  assert.equal(signIn.server.received.filter(({ path }) => path === '/token').length, 1);
  assert.deepEqual(signIn.pausesMs, []);
});

test('a configured client that the server does not know ends the sign-in without a second exchange', async (t) => {
  const signIn = await SignInUnderTest.start(t, { configuredClient: () => ({ clientId: 'configured' }) });
  signIn.server.routes['/token'] = unknownClient;
  await assert.rejects(signIn.run(), { kind: 'invalidClient' });
  assert.equal(signIn.server.received.filter(({ path }) => path === '/token').length, 1);
});

test('a sign-in whose identity stays unknown after a few tries is stored under its fallback label', async (t) => {
  const signIn = await SignInUnderTest.start(t);
  signIn.server.routes['/mcp'] = { status: 401 };
  const { grant } = await signIn.run();
  assert.equal(grant.identity, undefined);
  assert.deepEqual(signIn.pausesMs, [1_000, 2_000, 4_000]);
  assert.equal(signIn.openedUrls.length, 1);
  assert.ok(!signIn.server.received.some(({ form }) => form.token), 'its tokens are not revoked');
});

test('a request for the identity that gets no response ends after 15 seconds and is not repeated', async (t) => {
  const held = Promise.withResolvers<void>();
  const signIn = await SignInUnderTest.start(t);
  signIn.server.routes['/mcp'] = () => void held.resolve();
  const signingIn = signIn.run();
  await held.promise;
  signIn.clock.advance(15_000);
  assert.equal((await signingIn).grant.identity, undefined);
  assert.deepEqual(signIn.pausesMs, []);
});
