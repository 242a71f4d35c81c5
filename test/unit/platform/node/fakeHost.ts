import http from 'node:http';
import https from 'node:https';
import { connect as connectTcp, isIP, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { HostSocketParts } from '../../../../src/platform/node/hostSocket.ts';
import type { Scope } from '../../http/authority.ts';

type Request = NonNullable<HostSocketParts['request']>;

/** The options with which an agent opens the connection for a request. */
export interface ConnectOptions extends https.RequestOptions {
  host: string;
  port: number;
}

export interface FakeHostOptions {
  /** With user and password; absent: connections are direct. */
  proxy?: URL | undefined;
  /** What the host trusts beside Node's own authorities. */
  ca?: string | undefined;
  /** Changes the options of each connection, as a host with other settings would. */
  change?: (options: ConnectOptions) => void;
}

/**
 * Stands in for the `https.request` of an extension host, because that exists only in an editor: test/e2e/network holds
 * the same in the real ones. As @vscode/proxy-agent does, it gives each request an agent of its own (that of agent-base),
 * which returns a connection through the proxy, or an agent of Node's for a direct one.
 */
export function fakeHost(options: FakeHostOptions = {}): Request {
  return (request) => nodeRequest({ ...request, agent: new HostAgent(options) });
}

const nodeRequest = https.request;

/** Puts the fake host in the place of this process's `https.request` until the test ends. */
export function patchHost(t: Scope, options: FakeHostOptions): void {
  Object.assign(https, { request: fakeHost(options) });
  t.after(() => Object.assign(https, { request: nodeRequest }));
}

class HostAgent extends http.Agent {
  readonly #options: FakeHostOptions;

  constructor(options: FakeHostOptions) {
    super();
    this.#options = options;
    Object.assign(this, { protocol: 'https:' });
  }

  /** Called by Node's `http.Agent`. */
  createSocket(request: http.ClientRequest, options: ConnectOptions, done: (error: Error) => void): void {
    Promise.resolve()
      .then(() => this.connect(request, { ...options }))
      .then(() => done(new Error('The request itself was carried out.')), done);
  }

  async connect(request: http.ClientRequest, options: ConnectOptions): Promise<Socket | http.Agent> {
    const { proxy, ca, change } = this.#options;
    Object.assign(options, ca !== undefined && { ca });
    change?.(options);
    if (proxy === undefined) {
      request.emit('proxy', { proxy: 'DIRECT', socket: https.globalAgent });
      return https.globalAgent;
    }
    const used = `PROXY ${proxy.href.replace('http://', '')}`;
    try {
      const socket = await openTunnel(proxy, options);
      request.emit('proxy', { proxy: used, socket });
      return socket;
    } catch (error) {
      request.emit('proxy', { proxy: used, error });
    }
    // The text of version 0.35, with the password.
    throw new Error(`Failed to establish a socket connection to proxies: ${used}`);
  }
}

/** As https-proxy-agent opens it: with any refusal as a socket that cannot be written to. */
async function openTunnel(proxy: URL, { host, port, servername = host, ...options }: ConnectOptions): Promise<Socket> {
  const socket = connectTcp(Number(proxy.port), proxy.hostname);
  const user = Buffer.from(`${proxy.username}:${decodeURIComponent(proxy.password)}`).toString('base64');
  socket.write(
    `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\nProxy-Authorization: Basic ${user}\r\n\r\n`,
  );
  const [line = ''] = (await responseHead(socket)).split('\r\n');
  if (!line.startsWith('HTTP/1.1 200')) {
    socket.destroy();
    return new Socket();
  }
  const { path: _path, ...tls } = options as object & { path?: unknown };
  return connectTls({ ...tls, socket, ...(isIP(servername) === 0 && { servername }) });
}

async function responseHead(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = '';
    const read = (chunk: Buffer): void => {
      head += chunk.toString('latin1');
      if (head.includes('\r\n\r\n')) {
        socket.off('data', read).pause();
        resolve(head);
      }
    };
    socket.on('data', read);
    socket.once('error', reject);
    socket.once('end', () => reject(new Error('Proxy connection ended before receiving CONNECT response')));
  });
}

/** Sends a GET over a connection that is closed after the response. */
export async function get(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n');
  return text(socket);
}
