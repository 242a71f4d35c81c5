import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { discover } from '../../../src/oauth/discovery.ts';
import { FakeClock } from '../fakeClock.ts';
import { fails } from '../oauth/failing.ts';
import { html, type LoopbackServer } from '../oauth/loopbackServer.ts';
import { metadata, resourceAt, serverAt } from '../oauth/notionLike.ts';
import { brokenOff, granting, http, respondToProbes, type SignedInAtServer, signedInAtServer } from './realServer.ts';
import { minute } from './renewals.ts';

/** Changes of a server after which it cannot be discovered, so that a new sign-in would fail. */
const changes: Record<string, (server: LoopbackServer) => void> = {
  'the resource has another name': ({ routes, origin }) => {
    routes[`${resourceAt}/mcp`] = { body: { resource: 'https://other.example/mcp', authorization_servers: [origin] } };
  },
  'S256 is not listed': ({ routes, origin }) => {
    routes[serverAt] = { body: metadata(origin, { code_challenge_methods_supported: ['plain'] }) };
  },
  'the issuer has moved': ({ routes, origin }) => {
    routes[serverAt] = { body: metadata(origin, { issuer: 'https://moved.example' }) };
  },
  'the metadata is missing': ({ routes }) => {
    delete routes[serverAt];
  },
  'the metadata fails': ({ routes }) => {
    routes[`${resourceAt}/mcp`] = { status: 500 };
    routes[serverAt] = { status: 500 };
  },
};

describe('a renewal after a temporary failure or after sleep', () => {
  for (const [name, change] of Object.entries(changes)) {
    test(`a renewal after a 503 is sent although ${name}`, async (t) => {
      const signed = await afterOne503(t);
      const { server, window, grant } = signed;
      change(server);
      await assert.rejects(discover(http, server.mcp));
      server.received.length = 0;
      await window.accounts.renew(grant.id, { reason: 'asked' });
      assert.deepEqual(server.asked(), ['GET /token', 'POST /token']);
      assert.equal(window.only().grant.generation, grant.generation + 1);
    });

    test(`a renewal after sleep is sent although ${name}`, async (t) => {
      const clock = new FakeClock();
      const { server, window } = await signedInAtServer(t, { clock });
      change(server);
      await wake(clock, () => window.waitForEvent('changed ada (wiki)'));
      assert.deepEqual(server.asked(), ['GET /token', 'POST /token']);
      assert.equal(window.only().state, 'healthy');
    });
  }

  for (const [name, route, code] of [
    ['a captive portal responds', html, 'html'],
    ['there is no connection', brokenOff, 'unreachable'],
  ] as const) {
    test(`no refresh token is sent after a 503 while ${name}, and it is sent afterwards`, async (t) => {
      const { server, window, grant, refreshes } = await afterOne503(t);
      const { routes } = server;
      const before = { ...routes };
      respondToProbes(server, route);
      await fails(() => window.accounts.renew(grant.id, { reason: 'asked' }), 'transient', { code });
      assert.equal(refreshes().length, 1);
      Object.assign(routes, before);
      delete routes['GET /token'];
      await window.accounts.renew(grant.id, { reason: 'asked' });
      assert.equal(refreshes().length, 2);
      assert.equal(window.only().state, 'healthy');
    });

    test(`no refresh token is sent after sleep while ${name}`, async (t) => {
      const clock = new FakeClock();
      const { server, window, grant, refreshes } = await signedInAtServer(t, { clock });
      const probed = Promise.withResolvers<void>();
      respondToProbes(server, (received, response) => {
        probed.resolve();
        return typeof route === 'function' ? route(received, response) : route;
      });
      await wake(clock, () => probed.promise);
      await window.accounts.wakeUp();
      assert.deepEqual(refreshes(), []);
      await fails(() => window.accounts.renew(grant.id, { reason: 'asked' }), 'transient', { code });
      assert.deepEqual(refreshes(), []);
      assert.equal(window.only().state, 'expired');
    });
  }

  test('a renewal without an earlier failure is sent without a probe', async (t) => {
    const { server, window, grant } = await signedInAtServer(t);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.deepEqual(server.asked(), ['POST /token', 'POST /token']);
  });
});

/** An account whose renewal has just failed with status 503. */
async function afterOne503(t: TestContext): Promise<SignedInAtServer> {
  const signed = await signedInAtServer(t);
  const { server, window, grant } = signed;
  server.routes['POST /token'] = { status: 503 };
  await fails(() => window.accounts.renew(grant.id, { reason: 'asked' }), 'transient', { status: 503 });
  server.routes['POST /token'] = granting();
  return signed;
}

/** Lets the machine sleep until the token has expired, and wake up; then waits for `event`. */
async function wake(clock: FakeClock, event: () => Promise<void>): Promise<void> {
  clock.jump(120 * minute);
  clock.advance(0);
  await event();
}
