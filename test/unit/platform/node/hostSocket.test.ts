import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { HttpFailure } from '../../../../src/http/errors.ts';
import { type HostSocketParts, NoHostSocket, openHostSocket } from '../../../../src/platform/node/hostSocket.ts';
import { until } from '../../connections.ts';
import { FakeClock } from '../../fakeClock.ts';
import { Authority } from '../../http/authority.ts';
import { startProxy } from '../../http/connectProxy.ts';
import { startTlsServer } from '../../http/tlsServer.ts';
import { fakeHost, get } from './fakeHost.ts';

const password = 'p:ss word';
const limitMs = 10_000;

test('a connection that the host opens, directly or through its proxy, reaches the server', async (t) => {
  const { authority, port } = await startServer(t, 'DNS:mcp.example.test,IP:127.0.0.1');
  const { proxyUrl, tunnels } = await startProxyOf(t, port);
  const { cert: ca } = authority;
  const direct = await openHostSocket(at('127.0.0.1', port), { request: fakeHost({ ca }) });
  assert.match(await get(direct), /hello$/);
  const proxied = await openHostSocket(at('mcp.example.test'), { request: fakeHost({ ca, proxy: proxyUrl }) });
  assert.match(await get(proxied), /hello$/);
  assert.deepEqual(tunnels, ['mcp.example.test:443']);
});

test('a host that has not put its own agent into https.request opens no connection, not even in vain', async (t) => {
  const { port, connections } = await startServer(t, 'IP:127.0.0.1');
  await assert.rejects(openHostSocket(at('127.0.0.1', port)), NoHostSocket);
  // A connection in vain would be there before this one.
  await rejectionOf(at('127.0.0.1', port), { request: fakeHost() });
  assert.equal(connections.opened, 1);
});

test('A26: a connection to a server with an unknown certificate authority is refused, although the host would accept it', async (t) => {
  const { port, received } = await startServer(t, 'IP:127.0.0.1');
  const change = (options: https.RequestOptions): void => {
    options.rejectUnauthorized = false;
  };
  assert.equal(await failureOf(at('127.0.0.1', port), { request: fakeHost({ change }) }), 'certificate');
  assert.deepEqual(received, []);
});

test('A26: a certificate for another name is refused behind a proxy, also if it names the proxy itself', async (t) => {
  for (const [name, target] of [
    ['DNS:other.example.test', 'mcp.example.test'],
    ['IP:127.0.0.1,DNS:localhost', '127.0.0.2'],
  ] as const) {
    const { authority, port, received } = await startServer(t, name);
    const { proxyUrl } = await startProxyOf(t, port);
    const request = fakeHost({ ca: authority.cert, proxy: proxyUrl });
    assert.equal(await failureOf(at(target), { request }), 'certificate', target);
    assert.deepEqual(received, []);
  }
});

test('A26: a certificate for a bare address is accepted behind a proxy with another address', async (t) => {
  const { authority, port } = await startServer(t, 'IP:127.0.0.2');
  const { proxyUrl } = await startProxyOf(t, port);
  const socket = await openHostSocket(at('127.0.0.2'), { request: fakeHost({ ca: authority.cert, proxy: proxyUrl }) });
  assert.match(await get(socket), /hello$/);
});

test('A26: connections are verified although NODE_TLS_REJECT_UNAUTHORIZED switches that off', async (t) => {
  const { authority, port } = await startServer(t, 'IP:127.0.0.1');
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
  assert.equal(await failureOf(at('127.0.0.1', port), { request: fakeHost() }), 'certificate');
  const socket = await openHostSocket(at('127.0.0.1', port), { request: fakeHost({ ca: authority.cert }) });
  assert.match(await get(socket), /hello$/);
});

test('a proxy that refuses, is not there or hangs up is a failure of the proxy, and nothing of its URL is in the error', async (t) => {
  const proxies = {
    'rejects the password': (await startProxy(t, { password: 'another' })).url,
    'opens no tunnel': (await startProxy(t, { password })).url,
    'is not there': `http://127.0.0.1:${await closedPort()}`,
    'hangs up when it is asked for a tunnel': await startRaw(t, (socket) => socket.end()),
    'hangs up in the tunnel': await startRaw(t, (socket) => socket.end('HTTP/1.1 200 Established\r\n\r\n')),
    'resets the tunnel': await startRaw(t, (socket) => {
      socket.write('HTTP/1.1 200 Established\r\n\r\n', () => socket.resetAndDestroy());
    }),
  };
  for (const [what, url] of Object.entries(proxies)) {
    const proxy = new URL(url);
    Object.assign(proxy, { username: 'someone', password });
    const error = await rejectionOf(at('mcp.example.test'), { request: fakeHost({ proxy }) });
    assert.ok(error instanceof HttpFailure, `${what}: ${error}`);
    assert.deepEqual([error.kind, error.wasSent], ['proxy', false], what);
    assert.doesNotMatch(inspect(error, { depth: Infinity, showHidden: true }), /someone|word|PROXY/, what);
  }
});

test('a host that returns no connection within ten seconds is given up, and one that it returns later is closed', async () => {
  const clock = new FakeClock();
  const late = Promise.withResolvers<Socket>();
  const request = withAgent({ connect: () => late.promise });
  const opening = assert.rejects(openHostSocket(at('127.0.0.1'), { request, clock, limitMs }), NoHostSocket);
  clock.advance(limitMs);
  await opening;
  const socket = new Socket();
  late.resolve(socket);
  await until(() => socket.destroyed);
});

test('a server that does not finish the TLS handshake within ten seconds is a time-out', async (t) => {
  const hello = Promise.withResolvers<void>();
  const { port } = new URL(await startRaw(t, () => hello.resolve()));
  const clock = new FakeClock();
  const opening = failureOf(at('127.0.0.1', Number(port)), { request: fakeHost(), clock, limitMs });
  await hello.promise;
  clock.advance(limitMs);
  assert.equal(await opening, 'timeout');
});

test('an agent that has no `connect`, fails without a proxy or returns something else than TLS opens no connection', async () => {
  for (const agent of [{}, { connect: () => Promise.reject(new Error('no')) }, { connect: async () => new Socket() }]) {
    assert.ok((await rejectionOf(at('127.0.0.1', 9), { request: withAgent(agent) })) instanceof NoHostSocket);
  }
});

/** A request whose agent is this one, called in a later turn as agent-base does. */
function withAgent(agent: {
  connect?: (request: unknown, options: https.RequestOptions) => Promise<unknown>;
}): NonNullable<HostSocketParts['request']> {
  return (options) => {
    const full = Object.assign(new http.Agent(), agent, {
      protocol: 'https:',
      createSocket: (request: unknown, _options: unknown, done: (error: Error) => void) => {
        Promise.resolve()
          .then(() => full.connect?.(request, options))
          .then(() => undefined, done);
      },
    });
    return https.request({ ...options, agent: full });
  };
}

function at(hostname: string, port = 443) {
  return { host: port === 443 ? hostname : `${hostname}:${port}`, hostname, port };
}

async function rejectionOf(target: ReturnType<typeof at>, parts: HostSocketParts): Promise<unknown> {
  return openHostSocket(target, parts).then(
    () => assert.fail('a connection was opened'),
    (error: unknown) => error,
  );
}

async function failureOf(target: ReturnType<typeof at>, parts: HostSocketParts): Promise<string> {
  const error = await rejectionOf(target, parts);
  assert.ok(error instanceof HttpFailure, String(error));
  return error.kind;
}

async function startServer(t: TestContext, names: string) {
  const authority = await Authority.create(t);
  const server = await startTlsServer(t, await authority.issue(names));
  return { authority, ...server };
}

async function startProxyOf(t: TestContext, port: number) {
  const { url, tunnels } = await startProxy(t, { password, port });
  const proxyUrl = new URL(url);
  Object.assign(proxyUrl, { username: 'someone', password });
  return { proxyUrl, tunnels };
}

/** A server that reacts to the first bytes of a connection with `respond`. Returns its address. */
async function startRaw(t: TestContext, respond: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => respond(socket));
    t.after(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
