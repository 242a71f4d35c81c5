import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
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
export async function startProxy(t: Scope, { password, port, host = '127.0.0.1', stalls }: ProxyOptions) {
  const tunnels: string[] = [];
  const server = createServer();
  server.on('connect', (request, socket) => {
    socket.on('error', () => undefined);
    tunnels.push(request.url ?? '');
    t.after(() => socket.destroy());
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
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels };
}

/**
 * Stands in for the `fetch` of the extension host, which is Node's with a `ProxyAgent`: uses this proxy, this password
 * and, if given, this authority as if it were in the system's trust store.
 */
export function fetchThrough(t: Scope, proxyUrl: string, password: string, trusted?: Authority): typeof fetch {
  const requestTls = trusted && { ca: trusted.cert };
  const dispatcher = new ProxyAgent({ uri: proxyUrl, token: basic(password), ...(requestTls && { requestTls }) });
  t.after(() => dispatcher.destroy());
  const proxied = (input: URL, init: object) => undiciFetch(input, { ...init, dispatcher });
  return proxied as unknown as typeof fetch;
}

function basic(password: string): string {
  return `Basic ${btoa(`someone:${password}`)}`;
}
