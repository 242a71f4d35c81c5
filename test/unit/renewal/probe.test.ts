import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createHttp, type Http, longestBody } from '../../../src/http/client.ts';
import { HttpFailure } from '../../../src/http/errors.ts';
import type { Transport } from '../../../src/http/transport.ts';
import type { AuthorizationServer } from '../../../src/oauth/model.ts';
import { probe, probeLimitMs } from '../../../src/renewal/probe.ts';
import { FakeClock } from '../fakeClock.ts';
import { fails } from '../oauth/failing.ts';
import { html, type LoopbackServer, type Route } from '../oauth/loopbackServer.ts';
import { notionLike, openIdAt, serverAt } from '../oauth/notionLike.ts';
import { brokenOff, http, oauthError, respondToProbes } from './realServer.ts';

const elsewhere: Route = { status: 302, headers: { location: 'http://portal.example/login' } };
const endless: Route = (_received, response) => {
  response.writeHead(200, { 'content-type': 'text/plain' });
  const more = () => {
    while (!response.destroyed && response.write('x'.repeat(65_536))) {
      // The socket takes more.
    }
  };
  response.on('drain', more);
  more();
  return undefined;
};

/** What a server may respond to a GET of its token endpoint, and how many requests the probe then takes. */
const responses: Record<string, { route: Route; requests: number }> = {
  'status 404 with a page': { route: { ...html, status: 404 }, requests: 1 },
  'status 405': { route: { status: 405, headers: { allow: 'POST' } }, requests: 1 },
  'an OAuth error': { route: oauthError('invalid_request'), requests: 1 },
  invalid_grant: { route: oauthError('invalid_grant'), requests: 1 },
  'status 401 with a page': { route: { ...html, status: 401 }, requests: 1 },
  'status 403 with a page': { route: { ...html, status: 403 }, requests: 1 },
  'status 429': { route: { status: 429, headers: { 'retry-after': '3600' } }, requests: 1 },
  'status 500': { route: { status: 500 }, requests: 1 },
  'status 503 with Retry-After': { route: { status: 503, headers: { 'retry-after': '3600' } }, requests: 1 },
  'nothing with status 200': { route: {}, requests: 1 },
  'JSON that is declared as HTML': { route: { ...html, body: '{"error":"invalid_request"}' }, requests: 1 },
  'a redirect within its origin': { route: { status: 302, headers: { location: '/elsewhere' } }, requests: 2 },
  'a body that is too large': { route: { body: 'x'.repeat(longestBody + 1) }, requests: 1 },
  'a body without end': { route: endless, requests: 1 },
  'a page with status 200': { route: html, requests: 2 },
  'a redirect to another origin': { route: elsewhere, requests: 2 },
  'redirects without end': { route: { status: 302, headers: { location: '/token' } }, requests: 5 },
  'status 511': { route: { ...html, status: 511 }, requests: 2 },
};

/** What a captive portal may respond to every request. */
const portals: Record<string, Route> = {
  'its page': html,
  'its page without a content type': { body: '<html></html>' },
  'status 511': { ...html, status: 511 },
  'status 407': { status: 407 },
  'a redirect to itself': elsewhere,
};

describe('a probe of the authorization server', () => {
  for (const [name, { route, requests }] of Object.entries(responses)) {
    test(`a probe succeeds if the token endpoint responds to GET with ${name}`, async (t) => {
      const server = await notionLike(t);
      server.routes['/token'] = route;
      await probe(http, serverOf(server), new FakeClock());
      assert.equal(server.received.length, requests);
    });
  }

  test('a probe succeeds if only the second metadata URL is not responded to with a page', async (t) => {
    const server = await portal(t, html);
    server.routes[openIdAt] = { status: 500 };
    await probe(http, serverOf(server), new FakeClock());
    assert.deepEqual(server.asked(), ['GET /token', `GET ${serverAt}`, `GET ${openIdAt}`]);
  });

  test('a probe succeeds if the token endpoint returns a page and the issuer is another server that responds', async (t) => {
    const [issuer, endpoint] = [await notionLike(t), await portal(t, html)];
    await probe(http, { ...serverOf(endpoint), issuer: `${issuer.origin}/tenant` }, new FakeClock());
    assert.deepEqual(issuer.asked(), [`GET ${serverAt}/tenant`]);
  });

  for (const [name, route] of Object.entries(portals)) {
    test(`a probe fails for now behind a captive portal that responds to everything with ${name}`, async (t) => {
      const server = await portal(t, route);
      const { host } = new URL(server.origin);
      await fails(() => probe(http, serverOf(server), new FakeClock()), 'transient', { code: 'html', host });
    });
  }

  test('a probe sends GET requests only, without credentials or a body', async (t) => {
    const server = await portal(t, html);
    await fails(() => probe(http, serverOf(server), new FakeClock()), 'transient');
    assert.deepEqual(server.asked(), ['GET /token', `GET ${serverAt}`, `GET ${openIdAt}`]);
    for (const { headers, body } of server.received) {
      assert.equal(headers.accept, 'application/json');
      assert.deepEqual([headers.authorization, headers.cookie, body], [undefined, undefined, '']);
    }
  });

  test('a probe fails for now if the token endpoint cannot be reached, although the metadata can', async (t) => {
    const server = await notionLike(t);
    server.routes['GET /token'] = brokenOff;
    await fails(() => probe(http, serverOf(server), new FakeClock()), 'transient', { code: 'unreachable' });
    const closed = { ...serverOf(server), tokenEndpoint: 'http://127.0.0.1:1/token' };
    await fails(() => probe(http, closed, new FakeClock()), 'transient', { code: 'unreachable', host: '127.0.0.1:1' });
    assert.deepEqual(new Set(server.asked()), new Set(['GET /token']));
  });

  for (const kind of ['unreachable', 'timeout', 'certificate', 'unverified', 'proxy'] as const) {
    test(`a probe fails for now if the request to the token endpoint fails as ${kind}`, async () => {
      const failing: Http = async ({ url }) => {
        throw new HttpFailure(kind, url.host);
      };
      await fails(() => probe(failing, example, new FakeClock()), 'transient', { step: 'token', code: kind });
    });

    test(`a probe fails for now if the token endpoint returns a page and the metadata request fails as ${kind}`, async () => {
      const failing: Http = async ({ url }) => {
        if (url.href === example.tokenEndpoint) {
          return { status: 200, headers: new Headers({ 'content-type': 'text/html' }), body: '<html>', url };
        }
        throw new HttpFailure(kind, url.host);
      };
      await fails(() => probe(failing, example, new FakeClock()), 'transient', { step: 'token', code: 'html' });
    });
  }

  test('a token endpoint that never responds to a GET stops no renewal as long as the metadata does', async () => {
    const clock = new FakeClock();
    const transport: Transport = {
      send: ({ url, signal }) =>
        url.href === example.tokenEndpoint
          ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          : Promise.resolve({ status: 404, headers: {}, read: async () => undefined, cancel: () => undefined }),
      close: async () => undefined,
    };
    const probing = probe(createHttp({ transport, clock }), example, clock);
    clock.advance(probeLimitMs / 2);
    await probing;
  });

  for (const [name, pageAfterMs] of [
    ['nothing responds', undefined],
    ['only the token endpoint responds, after a while and with a page', probeLimitMs - 2_000],
  ] as const) {
    test(`a probe has ended after its time limit if ${name}`, async () => {
      const clock = new FakeClock();
      const probing = fails(
        () => probe(createHttp({ transport: slow(clock, pageAfterMs), clock }), example, clock),
        'transient',
      );
      let hasEnded = false;
      void probing.then(() => {
        hasEnded = true;
      });
      let passedMs = 0;
      for (; !hasEnded && passedMs < 10 * probeLimitMs; passedMs += 1) {
        clock.advance(1);
        await turn();
      }
      await probing;
      assert.ok(Math.abs(passedMs - probeLimitMs) < 10, `${passedMs} ms`);
    });
  }
});

const example: AuthorizationServer = {
  issuer: 'https://as.example',
  authorizationEndpoint: 'https://as.example/authorize',
  tokenEndpoint: 'https://as.example/token',
};

function serverOf({ origin }: LoopbackServer): AuthorizationServer {
  return { issuer: origin, authorizationEndpoint: `${origin}/authorize`, tokenEndpoint: `${origin}/token` };
}

/** A server that gives the same response to all requests of a probe. */
async function portal(t: TestContext, route: Route): Promise<LoopbackServer> {
  const server = await notionLike(t);
  respondToProbes(server, route);
  return server;
}

/** A transport that never responds, except, if `pageAfterMs` is stated, with a page to the first request. */
function slow(clock: FakeClock, pageAfterMs?: number): Transport {
  let isFirst = true;
  return {
    send: async () => {
      if (pageAfterMs === undefined || !isFirst) {
        return new Promise(() => undefined);
      }
      isFirst = false;
      await new Promise<void>((resolve) => clock.after(pageAfterMs, resolve));
      return { status: 200, headers: { 'content-type': 'text/html' }, read: async () => undefined, cancel: () => {} };
    },
    close: async () => undefined,
  };
}

/** Lets the event loop turn once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
