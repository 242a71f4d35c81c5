import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Received {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** The body's fields, when it is a form. */
  form: Record<string, string>;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string | string[]>;
  /** An object is sent as JSON. */
  body?: string | object;
}

export type Route = Answer | ((received: Received, response: ServerResponse) => Answer | undefined);

export interface LoopbackServer {
  origin: string;
  /** Routes may be set after the start, when their answers need the origin. `GET /path` or `/path`. */
  routes: Record<string, Route>;
  received: Received[];
  /** What was asked for, as `GET /path`. */
  asked(): string[];
}

/** A real server on loopback whose routes are a table; anything else gets an HTML 404. It ends with the test. */
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
    const one = { method, path, headers: request.headers, body, form };
    received.push(one);
    const [pathname] = path.split('?');
    const route = routes[`${method} ${pathname}`] ?? routes[pathname ?? ''] ?? notFound;
    const answer = typeof route === 'function' ? route(one, response) : route;
    if (answer !== undefined) {
      const text = typeof answer.body === 'object' ? JSON.stringify(answer.body) : (answer.body ?? '');
      const type = typeof answer.body === 'object' ? { 'content-type': 'application/json' } : {};
      response.writeHead(answer.status ?? 200, { ...type, ...answer.headers });
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

export const html: Answer = {
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Hello</title>',
};

const notFound: Answer = { ...html, status: 404 };
