import http from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, checkServerIdentity, TLSSocket } from 'node:tls';
import { type Clock, systemClock, within } from '../../core/clock.ts';
import { failureKind, HttpFailure, type HttpFailureKind } from '../../http/errors.ts';

/** An https server. */
export interface SocketTarget {
  /** With the port, as in its URL. */
  host: string;
  /** Without brackets. */
  hostname: string;
  port: number;
}

type Request = (options: RequestOptions) => http.ClientRequest;

export interface HostSocketParts {
  /** The `https.request` of the host, which may have put its own agent in. */
  request?: Request;
  clock?: Clock;
  /** The time limit for the host to return a connection, and again for the TLS handshake. */
  limitMs?: number;
}

/** The host opens no connection for us. Nothing was sent, so its `fetch` may carry the request instead. */
export class NoHostSocket extends Error {}

/**
 * Opens a TLS connection to a server as the editor's own network stack does: through its proxy, with the proxy's
 * password and with its certificates. The certificate is verified whatever the editor or the environment say (A26).
 * @throws NoHostSocket if this host or this connection does not work so; HttpFailure, which is final, if the server
 *   cannot be reached, its certificate is not trusted or the proxy refuses
 */
export async function openHostSocket(
  target: SocketTarget,
  { request = (options) => https.request(options), clock = systemClock, limitMs = 10_000 }: HostSocketParts = {},
): Promise<TLSSocket> {
  const opening = openConnection(target, request);
  const { connection, isProxied } = await within(opening, {
    clock,
    limitMs,
    late: () => {
      opening.then(discard, () => undefined);
      throw new NoHostSocket();
    },
  });
  // An error that nothing listens to would end the extension host.
  connection.on('error', () => undefined);
  const fail = (kind: HttpFailureKind): never => {
    connection.destroy();
    throw unsent(kind, target);
  };
  if (!(connection instanceof TLSSocket)) {
    connection.destroy();
    // The host wants to pass the proxy's refusal on as if it were the server's response.
    throw isProxied ? unsent('proxy', target) : new NoHostSocket();
  }
  const outcome = await within(handshake(connection, target), { clock, limitMs, late: () => 'timeout' as const });
  if (outcome !== 'secure') {
    const isOfProxy = isProxied && outcome === 'unreachable';
    fail(isOfProxy ? 'proxy' : outcome);
  }
  if (!connection.authorized) {
    fail('certificate');
  }
  return connection.setNoDelay(true).setKeepAlive(true, probeMs);
}

/** How often TCP probes a silent connection, so that no router on the path forgets it. */
const probeMs = 60_000;

interface Opened {
  connection: Duplex;
  isProxied: boolean;
}

/** The host's agent: the part of agent-base's `Agent` that opens a connection for a request. */
interface HostAgent {
  connect(request: unknown, options: RequestOptions): Promise<Duplex | http.Agent>;
}

/** Lets the host open a connection. An error of its own is dropped, as it may quote the proxy's URL with the password. */
async function openConnection(target: SocketTarget, request: Request): Promise<Opened> {
  const { hostname, port } = target;
  const proxy = { isUsed: false, error: undefined as unknown };
  const options: RequestOptions & ConnectionOptions = {
    ...{ host: hostname, port, path: '/', method: 'HEAD' },
    ...(isIP(hostname) === 0 && { servername: hostname }),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
    // Behind a proxy Node would compare the certificate of a bare address with the proxy's name.
    checkServerIdentity: (_name, certificate) => checkServerIdentity(hostname, certificate),
    // Called only where the host has put no agent in, so that no connection is opened in vain.
    createConnection: () => undefined,
  };
  let asking: http.ClientRequest | undefined;
  try {
    asking = request(options).on('error', () => undefined);
    asking.on('proxy', (used: { proxy?: unknown; error?: unknown }) => {
      proxy.isUsed = !String(used.proxy).startsWith('DIRECT');
      proxy.error = used.error;
    });
    return { connection: await connectionFor(asking), isProxied: proxy.isUsed };
  } catch {
    throw proxy.isUsed ? unsent(proxyFailureKind(proxy.error, target), target) : new NoHostSocket();
  } finally {
    asking?.destroy();
  }
}

/**
 * The connection that the host would use for a request, for which nothing is ever written. The host gives each request
 * an agent of its own, whose `connect` is called in a later turn.
 */
function connectionFor(asking: http.ClientRequest & { agent?: unknown }): Promise<Duplex> {
  const { agent } = asking;
  if (!isHostAgent(agent)) {
    throw new NoHostSocket();
  }
  return new Promise((resolve) => {
    const { connect } = agent;
    const open = async (options: RequestOptions): Promise<Duplex> => {
      const found = await connect.call(agent, asking, options);
      // An agent means a direct connection. By now the host has added its certificates to the options.
      return found instanceof http.Agent ? createConnection(found, options) : found;
    };
    agent.connect = async (_request, options) => {
      resolve(open(options));
      throw new Error('Only the connection is used.');
    };
  });
}

function createConnection(agent: http.Agent, options: RequestOptions): Duplex {
  const connection = agent.createConnection({ ...options });
  if (connection) {
    return connection;
  }
  throw new NoHostSocket();
}

function isHostAgent(agent: unknown): agent is HostAgent {
  return typeof agent === 'object' && agent !== null && 'connect' in agent && typeof agent.connect === 'function';
}

function proxyFailureKind(error: unknown, target: SocketTarget): HttpFailureKind {
  return failureKind(error, urlOf(target)) === 'certificate' ? 'certificate' : 'proxy';
}

/** Waits for the end of the TLS handshake. Returns how it failed, if it did. */
function handshake(socket: TLSSocket, target: SocketTarget): Promise<'secure' | HttpFailureKind> {
  return new Promise((resolve) => {
    if (socket.authorized) {
      resolve('secure');
    }
    socket.once('secureConnect', () => resolve('secure'));
    socket.once('error', (error) => resolve(failureKind(error, urlOf(target))));
    socket.once('close', () => resolve('unreachable'));
  });
}

function urlOf({ host }: SocketTarget): URL {
  return new URL(`https://${host}`);
}

function unsent(kind: HttpFailureKind, { host }: SocketTarget): HttpFailure {
  return new HttpFailure(kind, host, { wasSent: false });
}

function discard({ connection }: Opened): void {
  connection.on('error', () => undefined).destroy();
}
