import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Received {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** The body's fields, if it is a form. */
  form: Record<string, string>;
}

export interface RouteResponse {
  status?: number;
  headers?: Record<string, string | string[]>;
  /** An object is sent as JSON. */
  body?: string | object;
}

export type Route = RouteResponse | ((received: Received, response: ServerResponse) => RouteResponse | undefined);

export interface LoopbackServer {
  origin: string;
  /** Responses by `GET /path` or `/path`. Routes may be set after the start, when the origin is known. */
  routes: Record<string, Route>;
  received: Received[];
  /** The requests received so far, as `GET /path`. */
  asked(): string[];
}

/** Starts a real loopback server with a table of routes; other paths get an HTML 404. It closes after the test. */
export async function startServer(t: TestContext, host = '127.0.0.1'): Promise<LoopbackServer> {
  const received: Received[] = [];
  const routes: Record<string, Route> = {};
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) {
      body += String(chunk);
    }
    const path = request.url ?? '';
    const method = request.method ?? '';
    const form = Object.fromEntries(new URLSearchParams(body));
    const receivedRequest = { method, path, headers: request.headers, body, form };
    received.push(receivedRequest);
    const [pathname] = path.split('?');
    const route = routes[`${method} ${pathname}`] ?? routes[pathname ?? ''] ?? notFound;
    const routed = typeof route === 'function' ? route(receivedRequest, response) : route;
    if (routed !== undefined) {
      const text = typeof routed.body === 'object' ? JSON.stringify(routed.body) : (routed.body ?? '');
      const type = typeof routed.body === 'object' ? { 'content-type': 'application/json' } : {};
      response.writeHead(routed.status ?? 200, { ...type, ...routed.headers });
      response.end(text);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const asked = () => received.map(({ method, path }) => `${method} ${path}`);
  return { origin: `http://${host}:${port}`, routes, received, asked };
}

export const html: RouteResponse = {
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Hello</title>',
};

const notFound: RouteResponse = { ...html, status: 404 };
