import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Miniflare } from 'miniflare';
import { type Directory, newDirectory } from './directory.ts';
import { type Fault, Faults, type Hold, type Target } from './faults.ts';
import { type GrantFilter, type Store, StoredGrants } from './grants.ts';
import { type LibraryVersion, startWorker } from './library.ts';
import { type LoggedRequest, RequestLog, type RequestMatch } from './requestLog.ts';

/** All Notion-shaped servers that this process has started, for tests that search for the secrets they issued. */
export const everyServer: NotionServer[] = [];

export interface NotionServerOptions {
  version: LibraryVersion;
  /** 0 or not set: any free port. */
  port?: number;
  /** The origin under which clients see the server if it is behind another server, such as a proxy. */
  origin?: string;
  /** Serves https under a name that only a proxy resolves to this server. */
  tls?: Tls;
}

export interface Tls {
  name: string;
  key: string;
  cert: string;
}

/**
 * Starts a server that behaves as Notion's server has been observed to behave. It listens on 127.0.0.2 because an
 * editor in a browser rewrites 127.0.0.1.
 */
export async function startNotionServer({
  version,
  port = 0,
  tls,
  origin,
}: NotionServerOptions): Promise<NotionServer> {
  const worker = await startWorker(version);
  const server = new NotionServer(
    version,
    worker,
    new StoredGrants((await worker.getKVNamespace('OAUTH_KV')) as unknown as Store),
    { ...(tls && { tls }), ...(origin !== undefined && { origin }) },
  );
  everyServer.push(server);
  await server.listen(port);
  return server;
}

const host = '127.0.0.2';

/**
 * An MCP server and authorization server in one: the library behind an HTTP front end that logs requests and injects
 * faults.
 */
export class NotionServer {
  /** The users and workspaces; tests may change them. */
  readonly directory: Directory = newDirectory();
  readonly faults = new Faults();
  readonly log = new RequestLog();
  /** The lifetime that token responses state and the server enforces. */
  accessTokenLifeSeconds = 3_600;
  /**
   * As at Notion: a refresh token that was replaced twice revokes its grant if it is used, and a refresh invalidates
   * earlier access tokens.
   */
  strictRotation: boolean;
  readonly #version: LibraryVersion;
  readonly #worker: Miniflare;
  readonly #grants: StoredGrants;
  readonly #expiresAtMs = new Map<string, number>();
  readonly #tls: Tls | undefined;
  readonly #publicOrigin: string | undefined;
  #front: Server | undefined;
  #port = 0;

  constructor(
    version: LibraryVersion,
    worker: Miniflare,
    grants: StoredGrants,
    { tls, origin }: Pick<NotionServerOptions, 'tls' | 'origin'> = {},
  ) {
    this.#tls = tls;
    this.#publicOrigin = origin;
    this.#version = version;
    this.#worker = worker;
    this.#grants = grants;
    this.strictRotation = version === 'today';
  }

  get origin(): string {
    if (this.#publicOrigin !== undefined) {
      return this.#publicOrigin;
    }
    return this.#tls === undefined ? `http://${host}:${this.#port}` : `https://${this.#tls.name}:${this.#port}`;
  }

  /** The address that the server listens on, whatever its origin is. */
  get address(): { host: string; port: number } {
    return { host, port: this.#port };
  }

  get mcpUrl(): string {
    return `${this.origin}/mcp`;
  }

  /** Opens the port; after `stopListening`, the same port again. */
  async listen(port = this.#port): Promise<void> {
    const serve: RequestListener = (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    };
    const front = this.#tls === undefined ? createServer(serve) : createTlsServer(this.#tls, serve);
    await new Promise<void>((resolve, reject) => {
      front.once('error', reject);
      front.listen(port, host, resolve);
    });
    this.#front = front;
    this.#port = (front.address() as AddressInfo).port;
  }

  /** Takes the server down: connections are refused, but its data is kept. */
  async stopListening(): Promise<void> {
    const front = this.#front;
    this.#front = undefined;
    await new Promise<void>((resolve) => {
      front?.close(() => resolve());
      front?.closeAllConnections();
      if (front === undefined) {
        resolve();
      }
    });
  }

  async close(): Promise<void> {
    await this.stopListening();
    await this.#worker.dispose();
  }

  expireAccessTokens(filter?: GrantFilter): Promise<void> {
    return this.#grants.expireAccessTokens(filter);
  }

  revokeGrants(filter?: GrantFilter): Promise<void> {
    return this.#grants.revoke(filter);
  }

  purgeClients(): Promise<void> {
    return this.#grants.purgeClients();
  }

  fault(target: Target, fault: Fault): void {
    this.faults.add(target, fault);
  }

  hold(target: Target): Hold {
    return this.faults.hold(target);
  }

  requests(match: RequestMatch = {}): LoggedRequest[] {
    return this.log.find(match);
  }

  waitForRequest(match: RequestMatch): Promise<LoggedRequest> {
    return this.log.waitFor(match);
  }

  /** Every token, code, PKCE verifier, state and client secret in the requests and responses so far. */
  issuedSecrets(): string[] {
    return [...this.log.secrets];
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', this.origin);
    const headers = headersOf(incoming);
    const body = await text(incoming);
    const logged = this.log.begin(incoming.method ?? 'GET', url, headers, body);
    const { latencyMs } = this.faults;
    if (latencyMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, latencyMs));
    }
    const fault = this.faults.next(logged);
    if (fault?.kind === 'drop' && fault.when === 'before') {
      outgoing.destroy();
      return;
    }
    if (fault?.kind === 'stall') {
      return;
    }
    const response = fault?.kind === 'respond' ? faultResponse(fault) : await this.#respond(logged, url, headers, body);
    await this.faults.wait(logged);
    if (fault?.kind === 'drop') {
      outgoing.destroy();
      return;
    }
    this.log.end(logged, response.status, response.headers, response.body);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(response.body);
  }

  async #respond(
    { method, path, grantType }: LoggedRequest,
    url: URL,
    headers: Headers,
    body: string,
  ): Promise<BufferedResponse> {
    if (path === '/.well-known/openid-configuration') {
      return { status: 404, headers: new Headers({ 'content-type': 'text/html' }), body: '<html>Not found</html>' };
    }
    const refreshToken = grantType === 'refresh_token' ? new URLSearchParams(body).get('refresh_token') : null;
    if (this.strictRotation && refreshToken !== null && (await this.#grants.isReplaced(refreshToken))) {
      await this.#grants.revokeGrantOf(refreshToken);
      const error = { error: 'invalid_grant', error_description: 'OAuth grant revoked' };
      return { status: 400, headers: new Headers({ 'content-type': 'application/json' }), body: JSON.stringify(error) };
    }
    const accessToken = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1];
    if (
      path === '/mcp' &&
      accessToken !== undefined &&
      (this.#expiresAtMs.get(accessToken) ?? Infinity) <= Date.now()
    ) {
      headers.set('authorization', 'Bearer expired:expired:expired');
    }
    headers.set('x-directory', encodeURIComponent(JSON.stringify(this.directory)));
    headers.set('x-names-issuer', this.#version === 'next' ? 'yes' : 'no');
    const workerResponse = await this.#worker.dispatchFetch(url.href, {
      method,
      headers: Object.fromEntries(headers),
      redirect: 'manual',
      ...(method !== 'GET' && method !== 'HEAD' && { body }),
    });
    const response = {
      status: workerResponse.status,
      headers: new Headers([...workerResponse.headers.entries()]),
      body: await workerResponse.text(),
    };
    response.headers.delete('content-length');
    response.headers.delete('content-encoding');
    return path === '/token' && workerResponse.ok ? this.#withLifetime(response, grantType) : response;
  }

  /** Sets the access token's lifetime for the test, because the library enforces at least one minute. */
  async #withLifetime(response: BufferedResponse, grantType: string | undefined): Promise<BufferedResponse> {
    const tokens = response.body === '' ? {} : (JSON.parse(response.body) as Record<string, unknown>);
    const { access_token: accessToken } = tokens;
    if (typeof accessToken !== 'string') {
      return response;
    }
    this.#expiresAtMs.set(accessToken, Date.now() + this.accessTokenLifeSeconds * 1_000);
    if (this.strictRotation && grantType === 'refresh_token') {
      await this.#grants.invalidateOtherAccessTokens(accessToken);
    }
    return { ...response, body: JSON.stringify({ ...tokens, expires_in: this.accessTokenLifeSeconds }) };
  }
}

interface BufferedResponse {
  status: number;
  headers: Headers;
  body: string;
}

function faultResponse({ status, body = '', headers }: Extract<Fault, { kind: 'respond' }>): BufferedResponse {
  return { status, body, headers: new Headers(headers ?? { 'content-type': 'text/html' }) };
}

function headersOf({ headers }: IncomingMessage): Headers {
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !['connection', 'content-length', 'transfer-encoding', 'host'].includes(name)) {
      kept.set(name, Array.isArray(value) ? value.join(', ') : value);
    }
  }
  return kept;
}
