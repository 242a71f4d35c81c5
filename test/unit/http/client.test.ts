import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { longestBody } from '../../../src/http/client.ts';
import { startServer } from '../oauth/loopbackServer.ts';
import { failureKindOf, transports } from './transports.ts';

for (const [name, http] of Object.entries(transports)) {
  test(`${name}: request and response pass through unaltered`, async (t) => {
    const { origin, routes, received } = await startServer(t);
    routes['POST /token'] = { status: 418, headers: { 'Retry-After': '7', 'X-Two': ['a', 'b'] }, body: '{"a":"ü"}' };
    const response = await http({
      method: 'POST',
      url: new URL('/token?x=%2F', origin),
      headers: { 'Content-Type': 'application/json', authorization: 'Bearer a:b' },
      body: '{"b":"ö"}',
    });
    assert.deepEqual([response.status, response.body, response.url.href], [418, '{"a":"ü"}', `${origin}/token?x=%2F`]);
    assert.deepEqual([response.headers.get('retry-after'), response.headers.get('x-two')], ['7', 'a, b']);
    const [{ method, path, headers, body } = assert.fail()] = received;
    assert.deepEqual([method, path, body], ['POST', '/token?x=%2F', '{"b":"ö"}']);
    assert.deepEqual([headers['content-type'], headers.authorization], ['application/json', 'Bearer a:b']);
  });

  test(`${name}: a response of any status is returned`, async (t) => {
    const { origin, routes } = await startServer(t);
    for (const status of [200, 201, 204, 300, 304, 400, 401, 403, 429, 500, 503]) {
      routes['/'] = { status, headers: { location: 'https://elsewhere.example/' } };
      assert.equal((await http({ method: 'GET', url: new URL(origin) })).status, status);
    }
  });

  test(`${name}: a body of ${longestBody} bytes is read, however it is split`, async (t) => {
    const { origin, routes } = await startServer(t);
    routes['/'] = (_received, response) => {
      const bytes = Buffer.alloc(longestBody, 'ü€');
      response.write(bytes.subarray(0, 1));
      response.write(bytes.subarray(1, 70_000));
      response.end(bytes.subarray(70_000));
      return undefined;
    };
    const { body } = await http({ method: 'GET', url: new URL(origin) });
    assert.equal(Buffer.byteLength(body.replace(/\uFFFD+$/, '')), longestBody - 1);
    assert.doesNotMatch(body.slice(0, -3), /\uFFFD/);
  });

  test(`${name}: a body of more than ${longestBody} bytes is refused`, async (t) => {
    const { origin, routes } = await startServer(t);
    routes['/'] = { body: 'x'.repeat(longestBody + 1) };
    assert.equal(await failureKindOf(http, { method: 'GET', url: new URL(origin) }), 'tooLarge');
  });

  test(`${name}: an endless body is cut off while it is being read`, async (t) => {
    const { origin, routes } = await startServer(t);
    let sent = 0;
    const cut = new Promise<void>((resolve) => {
      routes['/'] = (_received, response) => {
        const piece = Buffer.alloc(65_536, 'x');
        const pour = (): void => {
          do {
            sent += piece.length;
          } while (!response.destroyed && response.write(piece));
        };
        response.on('drain', pour).on('close', resolve);
        pour();
        return undefined;
      };
    });
    assert.equal(await failureKindOf(http, { method: 'GET', url: new URL(origin) }), 'tooLarge');
    await cut;
    // What the sockets at both ends buffer comes on top of the limit.
    assert.ok(sent < 32 * longestBody, `${sent} bytes were sent`);
  });

  test(`${name}: the size limit applies to the decompressed body`, async (t) => {
    const { origin, routes } = await startServer(t);
    routes['/'] = (_received, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(gzipSync(Buffer.alloc(20 * longestBody)));
      return undefined;
    };
    await assert.rejects(http({ method: 'GET', url: new URL(origin) }), { kind: 'tooLarge' });
  });

  test(`${name}: nothing is sent to an insecure URL`, async (t) => {
    const { origin, received } = await startServer(t);
    const { port } = new URL(origin);
    for (const text of [
      'http://example.com/',
      `http://me:secret@127.0.0.1:${port}/`,
      'ftp://127.0.0.1/',
      'http://10.0.0.1/',
    ]) {
      assert.equal(await failureKindOf(http, { method: 'GET', url: new URL(text) }), 'insecure', text);
    }
    assert.deepEqual(received, []);
  });

  test(`${name}: an invalid header is refused without its value being quoted in the error`, async (t) => {
    const { origin, received } = await startServer(t);
    const headers = { authorization: 'Bearer secret\nwith a line break' };
    await assert.rejects(http({ method: 'GET', url: new URL(origin), headers }), (error: Error) => {
      assert.equal(error.cause, undefined);
      return !`${error.message}${error.stack}`.includes('secret');
    });
    assert.deepEqual(received, []);
  });
}

test('requests carry our User-Agent even if the caller sets another one, except in a browser', async (t) => {
  const { origin, received } = await startServer(t);
  for (const [name, http] of Object.entries(transports)) {
    received.length = 0;
    await http({ method: 'GET', url: new URL(origin), headers: { 'User-Agent': 'oauth4webapi/v3' } });
    assert.equal(received[0]?.headers['user-agent'] === 'test/1', name !== 'web worker fetch', name);
  }
});
