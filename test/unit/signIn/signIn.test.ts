import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureKind } from '../../../src/oauth/errors.ts';
import { metadata, resourceAt, serverAt } from '../oauth/notionLike.ts';
import { otherwiseRefused, SignInUnderTest } from './signInUnderTest.ts';

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
