import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Miniflare } from 'miniflare';
import { type Directory, newDirectory } from './directory.ts';
import { everyServer } from './everyServer.ts';
import { type Fault, Faults, type Hold, type Target } from './faults.ts';
import { type Store, StoredGrants, type Whose } from './grants.ts';
import { type LibraryVersion, startWorker } from './library.ts';
import { type LoggedRequest, RequestLog, type RequestMatch } from './requestLog.ts';

export interface NotionServerOptions {
  version: LibraryVersion;
  /** 0, or left out: any that is free. */
  port?: number;
  /** What it is called where something stands before it. */
  origin?: string;
  /** Speaks https under a name that only a proxy knows to lead here. */
  tls?: Tls;
}

export interface Tls {
  name: string;
  key: string;
  cert: string;
}

/** Starts a server that does what Notion's has been seen to do, on 127.0.0.2: an editor in a browser rewrites 127.0.0.1. */
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

/** MCP server and authorization server in one: the library behind a front that logs, holds, drops and lies. */
export class NotionServer {
  /** Who and what there is; change it at will. */
  readonly directory: Directory = newDirectory();
  readonly faults = new Faults();
  readonly log = new RequestLog();
  /** What token answers say and the server holds to. */
  accessTokenLifeSeconds = 3_600;
  /** A token that was replaced twice kills its grant, and a refresh kills earlier access tokens, as at Notion. */
  harsh: boolean;
  readonly #version: LibraryVersion;
  readonly #worker: Miniflare;
  readonly #grants: StoredGrants;
  readonly #expiresAtMs = new Map<string, number>();
  readonly #tls: Tls | undefined;
  readonly #calledFrom: string | undefined;
  #front: Server | undefined;
  #port = 0;

  constructor(
    version: LibraryVersion,
    worker: Miniflare,
    grants: StoredGrants,
    { tls, origin }: Pick<NotionServerOptions, 'tls' | 'origin'> = {},
  ) {
    this.#tls = tls;
    this.#calledFrom = origin;
    this.#version = version;
    this.#worker = worker;
    this.#grants = grants;
    this.harsh = version === 'today';
  }

  get origin(): string {
    if (this.#calledFrom !== undefined) {
      return this.#calledFrom;
    }
    return this.#tls === undefined ? `http://${host}:${this.#port}` : `https://${this.#tls.name}:${this.#port}`;
  }

  /** Where it listens, whatever it is called. */
  get address(): { host: string; port: number } {
    return { host, port: this.#port };
  }

  get mcpUrl(): string {
    return `${this.origin}/mcp`;
  }

  /** Opens the port; after `stopListening` the same one. */
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

  /** The server is down: connections are refused. What it knows, it keeps. */
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

  expireAccessTokens(whose?: Whose): Promise<void> {
    return this.#grants.expireAccessTokens(whose);
  }

  revokeGrants(whose?: Whose): Promise<void> {
    return this.#grants.revoke(whose);
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

  /** Every token, code, verifier and state that went by. */
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
    const answer = fault?.kind === 'answer' ? faultyAnswer(fault) : await this.#answer(logged, url, headers, body);
    await this.faults.wait(logged);
    if (fault?.kind === 'drop') {
      outgoing.destroy();
      return;
    }
    this.log.end(logged, answer.status, answer.headers, answer.body);
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(answer.body);
  }

  async #answer({ method, path, grantType }: LoggedRequest, url: URL, headers: Headers, body: string): Promise<Answer> {
    if (path === '/.well-known/openid-configuration') {
      return { status: 404, headers: new Headers({ 'content-type': 'text/html' }), body: '<html>Not found</html>' };
    }
    const refreshToken = grantType === 'refresh_token' ? new URLSearchParams(body).get('refresh_token') : null;
    if (this.harsh && refreshToken !== null && (await this.#grants.isReplaced(refreshToken))) {
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
    const response = await this.#worker.dispatchFetch(url.href, {
      method,
      headers: Object.fromEntries(headers),
      redirect: 'manual',
      ...(method !== 'GET' && method !== 'HEAD' && { body }),
    });
    const answer = {
      status: response.status,
      headers: new Headers([...response.headers.entries()]),
      body: await response.text(),
    };
    answer.headers.delete('content-length');
    answer.headers.delete('content-encoding');
    return path === '/token' && response.ok ? this.#tokenAnswer(answer, grantType) : answer;
  }

  /** The library allows no token to live under a minute; here they live as long as the test wants. */
  async #tokenAnswer(answer: Answer, grantType: string | undefined): Promise<Answer> {
    const tokens = answer.body === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>);
    const { access_token: accessToken } = tokens;
    if (typeof accessToken !== 'string') {
      return answer;
    }
    this.#expiresAtMs.set(accessToken, Date.now() + this.accessTokenLifeSeconds * 1_000);
    if (this.harsh && grantType === 'refresh_token') {
      await this.#grants.endOlderThan(accessToken);
    }
    return { ...answer, body: JSON.stringify({ ...tokens, expires_in: this.accessTokenLifeSeconds }) };
  }
}

interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

function faultyAnswer({ status, body = '', headers }: Extract<Fault, { kind: 'answer' }>): Answer {
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
