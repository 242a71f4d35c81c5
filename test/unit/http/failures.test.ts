import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Agent, fetch as undiciFetch } from 'undici';
import { createPoolTransport } from '#platform/pools';
import { forward } from '../../../src/calls/accountCall.ts';
import { problemOfError } from '../../../src/calls/problem.ts';
import { systemClock as clock } from '../../../src/core/clock.ts';
import { createHttp } from '../../../src/http/client.ts';
import { HttpFailure, type HttpFailureKind } from '../../../src/http/errors.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import { readText, type Transport } from '../../../src/http/transport.ts';
import { ScriptedAccounts } from '../gateway/gatewayUnderTest.ts';
import { startServer } from '../oauth/loopbackServer.ts';
import { Authority, trust } from './authority.ts';
import { fetchThrough, startProxy } from './connectProxy.ts';
import { startTlsServer } from './tlsServer.ts';
import { httpFailureOf } from './transports.ts';

/** Where a request fails. */
interface Target {
  url: URL;
  connectTimeoutMs?: number;
  /** Aborted by the server of the request, if at all. */
  signal?: AbortSignal;
}

type Row = [what: string, kind: HttpFailureKind, begin: (t: TestContext) => Promise<Target>];

/** Failures before the request is sent. */
const unsent: Row[] = [
  ['an unknown host name', 'unreachable', async () => ({ url: new URL('https://mcp.invalid/') })],
  ['a refused connection', 'unreachable', async () => ({ url: new URL(`http://127.0.0.1:${await closedPort()}/`) })],
  ['a certificate of an unknown authority', 'certificate', async (t) => tlsTarget(t, await Authority.create(t))],
  [
    'a certificate for another name',
    'certificate',
    async (t) => {
      const authority = await Authority.create(t);
      trust(t, authority);
      return tlsTarget(t, authority, 'DNS:other.example.test');
    },
  ],
  ['a connection that is not established in time', 'timeout', silentTarget],
  ['a connection that breaks in the TLS handshake', 'unreachable', (t) => rawTarget(t, (socket) => socket.end())],
];

/** Failures after which the server may have acted on the request. */
const possiblySent: Row[] = [
  ['a connection that breaks before the response', 'unreachable', (t) => target(t, (response) => response.destroy())],
  [
    'a connection that breaks within the response',
    'unreachable',
    (t) => target(t, (response) => startBody(response, () => response.destroy())),
  ],
  ['a request that is cancelled before the response', 'cancelled', (t) => target(t, (_response, cancel) => cancel())],
  ['a request that is cancelled within the response', 'cancelled', (t) => target(t, startBody)],
];

const transports: Record<string, (t: TestContext, target: Target) => Transport> = {
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

const users = { client: kindOfClient, gateway: kindOfGateway };

for (const [name, create] of Object.entries(transports)) {
  for (const [user, kindOf] of Object.entries(users)) {
    for (const [what, kind, begin] of [...unsent, ...possiblySent]) {
      test(`${name}: the ${user} reports ${what} as ${kind}`, async (t) => {
        const where = await begin(t);
        assert.equal(await kindOf(create(t, where), where), kind);
      });
    }
  }
}

for (const [name, create] of Object.entries(transports)) {
  for (const [rows, wasSent] of [
    [unsent, false],
    [possiblySent, true],
  ] as const) {
    for (const [what, , begin] of rows) {
      test(`${name}: after ${what}, the request counts as ${wasSent ? 'possibly sent' : 'not sent'}`, async (t) => {
        const where = await begin(t);
        assert.equal((await failureOfClient(create(t, where), where)).wasSent, wasSent);
      });
    }
  }
}

const password = 'p:ss word';
const proxyFailures: [what: string, proxyUrl: (t: TestContext) => Promise<string>, sentPassword?: string][] = [
  ['that cannot open a tunnel', async (t) => (await startProxy(t, { password })).url],
  ['that rejects the password', async (t) => (await startProxy(t, { password })).url, 'wrong'],
  ['that does not listen', async () => `http://127.0.0.1:${await closedPort()}`],
  ['with an unknown host name', async () => 'http://proxy.invalid:3128'],
];

for (const [user, kindOf] of Object.entries(users)) {
  for (const [what, proxyUrl, sentPassword = password] of proxyFailures) {
    test(`the host’s fetch: the ${user} reports a proxy ${what} as proxy`, async (t) => {
      const transport = createFetchTransport(fetchThrough(t, await proxyUrl(t), sentPassword));
      assert.equal(await kindOf(transport, { url: new URL('https://mcp.example.test/mcp') }), 'proxy');
    });
  }
}

/** The kind of failure that users of `Http` see. */
async function kindOfClient(transport: Transport, target: Target): Promise<HttpFailureKind> {
  return (await failureOfClient(transport, target)).kind;
}

function failureOfClient(transport: Transport, { url, signal }: Target): Promise<HttpFailure> {
  return httpFailureOf(createHttp({ transport, clock }), {
    method: 'POST',
    url,
    body: '{}',
    ...(signal && { signal }),
  });
}

/** The kind of failure that a call through the gateway sees, until its response has been read. */
async function kindOfGateway(transport: Transport, { url, signal }: Target): Promise<string> {
  const accounts = new ScriptedAccounts();
  accounts.add('ada', url.href, 'token');
  const request = { method: 'POST', headers: {}, body: Buffer.from('{}'), signal: signal ?? never } as const;
  try {
    const outcome = await forward({ accounts, transport, clock }, 'ada', request);
    const problem =
      'problem' in outcome
        ? outcome.problem
        : await readText(outcome.response, 1000).then(
            (text) => assert.fail(`got a response: ${text}`),
            (error: unknown) => problemOfError(error, url.host),
          );
    assert.ok(problem.kind === 'unreachable', problem.kind);
    return problem.failure.details.code;
  } catch (error) {
    // The caller is gone.
    assert.ok(error instanceof HttpFailure, String(error));
    return error.kind;
  }
}

const never = new AbortController().signal;

/** A server that responds with `respond`, which may cancel the request. */
async function target(
  t: TestContext,
  respond: (response: ServerResponse, cancel: () => void) => void,
): Promise<Target> {
  const { origin, routes } = await startServer(t);
  const caller = new AbortController();
  routes['/'] = (_received, response) => {
    respond(response, () => caller.abort());
    return undefined;
  };
  return { url: new URL(origin), signal: caller.signal };
}

function startBody(response: ServerResponse, begun: () => void): void {
  response.writeHead(200, { 'content-length': 100 }).write('{', () => begun());
}

/** By default, the certificate is for the right name. */
async function tlsTarget(t: TestContext, authority: Authority, names = 'IP:127.0.0.1'): Promise<Target> {
  const { port } = await startTlsServer(t, await authority.issue(names));
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
