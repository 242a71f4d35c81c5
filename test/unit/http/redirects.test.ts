import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../oauth/loopbackServer.ts';
import { failureKindOf, transports } from './transports.ts';

const statuses = [301, 302, 303, 307, 308];

for (const [name, http] of Object.entries(transports)) {
  test(`${name}: a redirect of a POST is refused, even to its own origin (librefang/librefang#6315)`, async (t) => {
    const { origin, routes, asked } = await startServer(t);
    for (const status of statuses) {
      routes['/token'] = { status, headers: { location: '/elsewhere' } };
      for (const redirects of ['refuse', 'sameOrigin'] as const) {
        const request = { method: 'POST', url: new URL('/token', origin), body: 'code=1', redirects } as const;
        assert.equal(await failureKindOf(http, request), 'redirected', `${status} ${redirects}`);
      }
    }
    assert.deepEqual(new Set(asked()), new Set(['POST /token']));
  });

  test(`${name}: a redirect of a GET is refused unless the request allows it`, async (t) => {
    const { origin, routes, asked } = await startServer(t);
    for (const status of statuses) {
      routes['/'] = { status, headers: { location: '/elsewhere' } };
      assert.equal(await failureKindOf(http, { method: 'GET', url: new URL(origin) }), 'redirected', String(status));
    }
    assert.deepEqual(new Set(asked()), new Set(['GET /']));
  });

  test(`${name}: a redirect of a GET to another origin or to an invalid URL is refused`, async (t) => {
    const { origin, routes, asked } = await startServer(t);
    const other = await startServer(t);
    const { port } = new URL(origin);
    const locations = [
      other.origin,
      `${other.origin.replace('http:', '')}/`,
      `https://127.0.0.1:${port}/`,
      `http://localhost:${port}/`,
      'https://example.com/',
      'http://[',
      'data:application/json,{}',
      'javascript:0',
    ];
    for (const location of locations) {
      routes['/'] = { status: 302, headers: { location } };
      const request = { method: 'GET', url: new URL(origin), redirects: 'sameOrigin' } as const;
      assert.equal(await failureKindOf(http, request), 'redirected', location);
    }
    assert.deepEqual(new Set(asked()), new Set(['GET /']));
    assert.deepEqual(other.asked(), []);
  });

  test(`${name}: a GET follows three redirects within its origin but not a fourth`, async (t) => {
    const { origin, routes, received } = await startServer(t);
    routes['/0'] = { status: 301, headers: { location: '1' } };
    routes['/1'] = { status: 302, headers: { location: '/2?a=b' } };
    routes['/2'] = { status: 307, headers: { location: `${origin}/3` } };
    routes['/3'] = { body: 'here' };
    const request = {
      method: 'GET',
      url: new URL('/0', origin),
      headers: { accept: 'application/json' },
      redirects: 'sameOrigin',
    } as const;
    const { status, body, url } = await http(request);
    assert.deepEqual([status, body, url.href], [200, 'here', `${origin}/3`]);
    assert.deepEqual(
      received.map(({ path, headers }) => [path, headers.accept]),
      ['/0', '/1', '/2?a=b', '/3'].map((path) => [path, 'application/json']),
    );
    routes['/3'] = { status: 308, headers: { location: '/4' } };
    assert.equal(await failureKindOf(http, request), 'redirected');
    assert.ok(!received.some(({ path }) => path === '/4'));
  });

  test(`${name}: a redirect loop ends after three redirects`, async (t) => {
    const { origin, routes, received } = await startServer(t);
    routes['/'] = { status: 302, headers: { location: '/' } };
    const request = { method: 'GET', url: new URL(origin), redirects: 'sameOrigin' } as const;
    assert.equal(await failureKindOf(http, request), 'redirected');
    assert.equal(received.length, 4);
  });

  test(`${name}: a redirect to a URL with credentials is not followed`, async (t) => {
    const { origin, routes, asked } = await startServer(t);
    routes['/'] = { status: 302, headers: { location: `${origin.replace('//', '//me:secret@')}/with` } };
    const request = { method: 'GET', url: new URL(origin), redirects: 'sameOrigin' } as const;
    assert.equal(await failureKindOf(http, request), 'insecure');
    assert.deepEqual(asked(), ['GET /']);
  });

  test(`${name}: the body of a refused redirect is not read to the end`, async (t) => {
    const { origin, routes } = await startServer(t);
    const closed = Promise.withResolvers<void>();
    routes['/'] = (_received, response) => {
      response.on('close', () => closed.resolve()).writeHead(302, { location: '/elsewhere' });
      response.write('<');
      return undefined;
    };
    assert.equal(await failureKindOf(http, { method: 'GET', url: new URL(origin) }), 'redirected');
    await closed.promise;
  });

  test(`${name}: a redirect without a location is returned as a response`, async (t) => {
    const { origin, routes } = await startServer(t);
    routes['/'] = { status: 302, body: 'nowhere' };
    const { status, body } = await http({ method: 'GET', url: new URL(origin) });
    assert.deepEqual([status, body], [302, 'nowhere']);
  });
}
