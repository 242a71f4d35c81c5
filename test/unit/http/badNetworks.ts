import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Agent, fetch as undiciFetch } from 'undici';
import { createPoolTransport } from '#platform/pools';
import type { NetworkFailureKind } from '../../../src/http/errors.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import type { Transport } from '../../../src/http/transport.ts';
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

/** The ways by which requests leave this machine. */
export const transports: Record<string, (t: TestContext, target: Target) => Transport> = {
  'our own connections': (_t, { connectTimeoutMs }) =>
    createPoolTransport(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
  'the host’s fetch': (t, { connectTimeoutMs }) => {
    // Stands in for the host's `fetch`, which is undici's too and waits 10 s for a connection.
    const dispatcher = new Agent(connectTimeoutMs === undefined ? {} : { connect: { timeout: connectTimeoutMs } });
    t.after(() => dispatcher.destroy());
    const hostFetch = (input: URL, init: object) => undiciFetch(input, { ...init, dispatcher });
    return createFetchTransport(hostFetch as unknown as typeof fetch);
  },
};

const password = 'p:ss word';

/** What is wrong with a proxy, and the host's `fetch` behind it. */
export const badProxies: [what: string, transport: (t: TestContext) => Promise<Transport>][] = [
  ['that cannot open a tunnel', async (t) => through(t, (await startProxy(t, { password })).url)],
  ['that rejects the password', async (t) => through(t, (await startProxy(t, { password })).url, 'wrong')],
  ['that does not listen', async (t) => through(t, `http://127.0.0.1:${await closedPort()}`)],
  ['with an unknown host name', async (t) => through(t, 'http://proxy.invalid:3128')],
  [
    'that does not establish a connection in time',
    async (t) => {
      const { url, connectTimeoutMs = 0 } = await silentTarget(t);
      return createFetchTransport(
        fetchThrough(t, `https://localhost:${url.port}`, password, undefined, connectTimeoutMs),
      );
    },
  ],
];

function through(t: TestContext, proxyUrl: string, sentPassword = password): Transport {
  return createFetchTransport(fetchThrough(t, proxyUrl, sentPassword));
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
