import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Fault, Faults } from '../notion/faults.ts';
import { Ledger } from './ledger.ts';

const host = '127.0.0.2';

/** A reverse proxy in front of an authorization server: injects faults, and records every refresh in the ledger. */
export class Front {
  readonly faults = new Faults();
  readonly ledger = new Ledger();
  readonly #server: Server;
  readonly #stalled = new Set<ServerResponse>();
  #upstream: { host: string; port: number } | undefined;

  constructor() {
    this.#server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve));
  }

  get origin(): string {
    return `http://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  forwardTo(upstream: { host: string; port: number }): void {
    this.#upstream = upstream;
  }

  /** Injects a fault into the next refresh request. */
  fault(fault: Fault): void {
    this.faults.add({ path: '/token', grantType: 'refresh_token', times: 1 }, fault);
  }

  /** Injects no more faults, and ends the requests that a fault has stalled. */
  endFaults(): void {
    this.faults.clear();
    for (const outgoing of this.#stalled) {
      outgoing.destroy();
    }
    this.#stalled.clear();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = (incoming.url ?? '/').replace(/\?.*/, '');
    const body = await text(incoming);
    const spent = path === '/token' ? new URLSearchParams(body).get('refresh_token') : null;
    const isRefresh = spent !== null && new URLSearchParams(body).get('grant_type') === 'refresh_token';
    const fault = isRefresh ? this.faults.next({ path, grantType: 'refresh_token' }) : undefined;
    const entry = isRefresh ? this.ledger.begin(fingerprint(spent), incoming.headers['user-agent'] ?? '') : undefined;
    if (fault?.kind === 'stall') {
      this.#stalled.add(outgoing);
      return;
    }
    if (fault?.kind === 'drop' && fault.when === 'before') {
      outgoing.destroy();
      return;
    }
    if (fault?.kind === 'respond') {
      outgoing.writeHead(fault.status, fault.headers ?? { 'content-type': 'text/html' }).end(fault.body);
      return;
    }
    const response = await this.#forward(incoming, body);
    const responseBody = await text(response);
    if (entry !== undefined) {
      const isLost = fault?.kind === 'drop';
      this.ledger.end(entry, response.statusCode ?? 0, isLost, refreshTokenIn(responseBody));
    }
    if (fault?.kind === 'drop') {
      outgoing.destroy();
      return;
    }
    outgoing.writeHead(response.statusCode ?? 500, response.headers).end(responseBody);
  }

  #forward({ method, url, headers }: IncomingMessage, body: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const upstream = request({ ...this.#upstream, method, path: url, headers }, resolve);
      upstream.on('error', reject);
      upstream.end(body);
    });
  }
}

/** Hashes a token, so that tokens can be compared without being stored. */
export function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 16);
}

function refreshTokenIn(body: string): string | undefined {
  try {
    const { refresh_token: token } = JSON.parse(body) as { refresh_token?: string };
    return token === undefined ? undefined : fingerprint(token);
  } catch {
    return undefined;
  }
}
