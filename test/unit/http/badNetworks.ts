import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Agent, fetch as undiciFetch } from 'undici';
import { openHostSocket } from '#platform/hostSocket';
import { createPoolTransport } from '#platform/pools';
import type { NetworkFailureKind } from '../../../src/http/errors.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import type { Transport } from '../../../src/http/transport.ts';
import { type FakeHostOptions, fakeHost } from '../platform/node/fakeHost.ts';
import { Authority, trust } from './authority.ts';
import { fetchThrough, startProxy } from './connectProxy.ts';
import { startTlsServer } from './tlsServer.ts';

/** Where a request fails. */
export interface Target {
  url: URL;
  connectTimeoutMs?: number;
}

/** Something wrong with the network, the kind of failure that it is, and a server behind such a network. */
export type BadNetwork = [what: string, kind: NetworkFailureKind, begin: (t: TestContext) => Promise<Target>];

/** `fetch` reports it as it reports the reset of an open connection. */
export const resetInHandshake: BadNetwork = [
  'a connection that is reset in the TLS handshake',
  'unreachable',
  (t) => rawTarget(t, (socket) => socket.resetAndDestroy()),
];

/** Networks in which a request is not sent. */
export const badNetworks: BadNetwork[] = [
  ['an unknown host name', 'unreachable', async () => ({ url: new URL('https://mcp.invalid/') })],
  ['a refused connection', 'unreachable', async () => ({ url: new URL(`http://127.0.0.1:${await closedPort()}/`) })],
  ['a certificate of an unknown authority', 'certificate', async (t) => tlsTarget(t, await Authority.create(t))],
  ['a certificate for another name', 'certificate', (t) => trustedTlsTarget(t, 'DNS:other.example.test')],
  ['a certificate that has expired', 'certificate', (t) => trustedTlsTarget(t, 'IP:127.0.0.1', -1)],
  ['a connection that is not established in time', 'timeout', silentTarget],
  ['a connection that ends in the TLS handshake', 'unreachable', (t) => rawTarget(t, (socket) => socket.end())],
  resetInHandshake,
];

/** This way leads to https servers only. */
export const overHost = 'connections that the host opens';

/** The ways by which requests leave this machine. */
export const transports: Record<string, (t: TestContext, target: Target) => Transport> = {
  'our own connections': (_t, { connectTimeoutMs }) =>
    createPoolTransport(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
  [overHost]: (_t, { connectTimeoutMs }) => overHostSocket({}, connectTimeoutMs),
  'the host’s fetch': (t, { connectTimeoutMs }) => {
    // Stands in for the host's `fetch`, which is undici's too and waits 10 s for a connection.
    const dispatcher = new Agent(connectTimeoutMs === undefined ? {} : { connect: { timeout: connectTimeoutMs } });
    t.after(() => dispatcher.destroy());
    const hostFetch = (input: URL, init: object) => undiciFetch(input, { ...init, dispatcher });
    return createFetchTransport(hostFetch as unknown as typeof fetch);
  },
};

const password = 'p:ss word';

/** What is wrong with a proxy, and its address. */
const badProxyAddresses: [what: string, address: (t: TestContext) => Promise<{ url: string }>][] = [
  ['that cannot open a tunnel', (t) => startProxy(t, { password })],
  ['that rejects the password', (t) => startProxy(t, { password: 'another' })],
  ['that does not listen', async () => ({ url: `http://127.0.0.1:${await closedPort()}` })],
  ['with an unknown host name', async () => ({ url: 'http://proxy.invalid:3128' })],
];

/** What is wrong with a proxy, and the ways through it. */
export const badProxies: [what: string, transport: (t: TestContext) => Promise<Transport>][] = [
  ...badProxyAddresses.flatMap(([what, address]): typeof badProxies => [
    [`${what}, over the host’s fetch`, async (t) => through(t, (await address(t)).url)],
    [`${what}, over ${overHost}`, async (t) => overHostSocket({ proxy: withUser((await address(t)).url) })],
  ]),
  [
    'that does not establish a connection in time, over the host’s fetch',
    async (t) => {
      const { url, connectTimeoutMs = 0 } = await silentTarget(t);
      return createFetchTransport(
        fetchThrough(t, `https://localhost:${url.port}`, password, undefined, connectTimeoutMs),
      );
    },
  ],
  // The host's undici would connect again and again until the caller's time limit.
  [`that opens a tunnel and hangs up, over ${overHost}`, async (t) => overHostSocket({ proxy: await hangingUp(t) })],
];

function through(t: TestContext, proxyUrl: string): Transport {
  return createFetchTransport(fetchThrough(t, proxyUrl, password));
}

function overHostSocket(options: FakeHostOptions, limitMs?: number): Transport {
  const request = fakeHost(options);
  const parts = { request, ...(limitMs !== undefined && { limitMs }) };
  return createPoolTransport({ openSocket: (target) => openHostSocket(target, parts) });
}

function withUser(url: string): URL {
  return Object.assign(new URL(url), { username: 'someone', password });
}

async function hangingUp(t: TestContext): Promise<URL> {
  const { url } = await rawTarget(t, (socket) => socket.end('HTTP/1.1 200 Established\r\n\r\n'));
  return withUser(`http://${url.host}`);
}

async function trustedTlsTarget(t: TestContext, names: string, days?: number): Promise<Target> {
  const authority = await Authority.create(t);
  trust(t, authority);
  return tlsTarget(t, authority, names, days);
}

/** By default, the certificate is for the right name. */
async function tlsTarget(t: TestContext, authority: Authority, names = 'IP:127.0.0.1', days?: number): Promise<Target> {
  const { port } = await startTlsServer(t, await authority.issue(names, days));
  return { url: new URL(`https://127.0.0.1:${port}/`) };
}

/** A server that accepts connections and never responds to the TLS hello. */
async function silentTarget(t: TestContext): Promise<Target> {
  return { ...(await rawTarget(t, () => undefined)), connectTimeoutMs: 60 };
}

/** A server that reacts to the TLS hello with `respond`. */
async function rawTarget(t: TestContext, respond: (socket: Socket) => void): Promise<Target> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).once('data', () => respond(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
  });
  return { url: new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`) };
}

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
