import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { ProxyAgent, fetch as undiciFetch } from 'undici';
import type { Authority, Scope } from './authority.ts';

export interface ProxyOptions {
  password: string;
  /** The port of the loopback server to which every tunnel leads, whatever host is requested. Without it, 502. */
  port?: number;
  host?: string;
  /** Accepts requests for a tunnel and never responds. */
  stalls?: boolean;
}

/** A corporate proxy that opens tunnels for clients with the right password. */
export async function startProxy(t: Scope, proxyOptions: ProxyOptions) {
  const options = { host: '127.0.0.1', ...proxyOptions };
  const tunnels: string[] = [];
  const sockets = new Set<Socket>();
  const endConnections = (): void => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  const server = createServer();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('connect', (request, socket) => {
    socket.on('error', () => undefined);
    tunnels.push(request.url ?? '');
    const { password, port, host, stalls } = options;
    if (stalls) {
      return;
    }
    if (request.headers['proxy-authorization'] !== basic(password)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\n\r\n');
      return;
    }
    if (port === undefined) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const target = connect(port, host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    target.on('error', () => socket.destroy());
    socket.on('close', () => target.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = (): void => {
    server.close();
    endConnections();
  };
  t.after(stop);
  return {
    url: `http://127.0.0.1:${port}`,
    tunnels,
    /** Changes the options, and ends the open tunnels. */
    change: (changes: Partial<ProxyOptions>): void => {
      Object.assign(options, changes);
      endConnections();
    },
    /** Refuses connections, and ends the open tunnels. */
    stop,
    /** Listens again, at the same address. */
    restart: async (): Promise<void> => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
}

/**
 * Stands in for the `fetch` of the extension host, which is Node's with a `ProxyAgent`: uses this proxy, this password
 * and, if given, this authority as if it were in the system's trust store. The proxy has to accept a connection within
 * `connectTimeoutMs`.
 */
export function fetchThrough(
  t: Scope,
  proxyUrl: string,
  password: string,
  trusted?: Authority,
  connectTimeoutMs?: number,
): typeof fetch {
  const dispatcher = new ProxyAgent({
    uri: proxyUrl,
    token: basic(password),
    ...(trusted && { requestTls: { ca: trusted.cert } }),
    ...(connectTimeoutMs !== undefined && { proxyTls: { timeout: connectTimeoutMs } }),
  });
  t.after(() => dispatcher.destroy());
  const proxied = (input: URL, init: object) => undiciFetch(input, { ...init, dispatcher });
  return proxied as unknown as typeof fetch;
}

function basic(password: string): string {
  return `Basic ${btoa(`someone:${password}`)}`;
}
