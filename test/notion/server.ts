import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Miniflare } from 'miniflare';
import { jsonObject } from '../../src/core/json.ts';
import { AuthorizationServer, type GrantAccount, type ReceivedRequest, withCors } from './authorizationServer.ts';
import { newDirectory } from './content.ts';
import { apiError, type Fault, Faults, type Hold, type Target } from './faults.ts';
import { type GrantFilter, type Store, StoredGrants } from './grants.ts';
import { type LibraryVersion, startWorker } from './library.ts';
import { readsIdentity, respondToMcp } from './mcpEndpoint.ts';
import { defaultProfile, type IdentityFailure, type Profile } from './profile.ts';
import { type LoggedRequest, RequestLog, type RequestMatch } from './requestLog.ts';
import type { ToolContext } from './tools/tool.ts';

/** All Notion-shaped servers that this process has started, for tests that search for the secrets they issued. */
export const everyServer: NotionServer[] = [];

export interface NotionServerOptions {
  version: LibraryVersion;
  /** Where the server differs from Notion's documentation. */
  profile?: Partial<Profile>;
  /** The time, in milliseconds since the epoch, for all but the library. */
  nowMs?: () => number;
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
 * Starts a server that behaves as Notion's server does, as far as contract.ts knows. It listens on 127.0.0.2 because an
 * editor in a browser rewrites 127.0.0.1.
 */
export async function startNotionServer({ port = 0, ...options }: NotionServerOptions): Promise<NotionServer> {
  const worker = await startWorker(options.version);
  const store = (await worker.getKVNamespace('OAUTH_KV')) as unknown as Store;
  const server = new NotionServer(worker, new StoredGrants(store), options);
  everyServer.push(server);
  await server.listen(port);
  return server;
}

const host = '127.0.0.2';

/** What the API asks a caller to wait where an identity call fails. */
const retryAfterSeconds = 1;

/** An MCP server and authorization server in one, behind an HTTP front end that logs requests and injects faults. */
export class NotionServer {
  /** The users and workspaces; tests may change them. */
  readonly directory = newDirectory();
  /** Tests may change it. */
  readonly profile: Profile;
  readonly faults = new Faults();
  readonly log = new RequestLog();
  readonly #worker: Miniflare;
  readonly #grants: StoredGrants;
  readonly #authorizationServer: AuthorizationServer;
  readonly #tasks: ToolContext['tasks'] = new Map();
  readonly #nowMs: () => number;
  readonly #tls: Tls | undefined;
  readonly #publicOrigin: string | undefined;
  #front: Server | undefined;
  #port = 0;

  constructor(
    worker: Miniflare,
    grants: StoredGrants,
    { version, profile, nowMs = Date.now, tls, origin }: Omit<NotionServerOptions, 'port'>,
  ) {
    this.#tls = tls;
    this.#publicOrigin = origin;
    this.#worker = worker;
    this.#grants = grants;
    this.#nowMs = nowMs;
    this.profile = { ...defaultProfile, ...profile };
    const { directory } = this;
    this.#authorizationServer = new AuthorizationServer({
      ...{ version, worker, grants, directory, nowMs },
      profile: this.profile,
    });
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

  /** Injects a fault, and returns what ends it. */
  fault(target: Target, fault: Fault): () => void {
    return this.faults.add(target, fault);
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
    const request: ReceivedRequest = {
      method: incoming.method ?? 'GET',
      url: new URL(incoming.url ?? '/', this.origin),
      headers: headersOf(incoming),
      body: await text(incoming),
    };
    const logged = this.log.begin(request.method, request.url, request.headers, request.body);
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
    const response = fault?.kind === 'respond' ? faultResponse(fault) : await this.#respond(request);
    const body = await response.text();
    await this.faults.wait(logged);
    if (fault?.kind === 'drop') {
      outgoing.destroy();
      return;
    }
    this.log.end(logged, response.status, response.headers, body);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(body);
  }

  async #respond(request: ReceivedRequest): Promise<Response> {
    if (request.url.pathname !== '/mcp') {
      return this.#authorizationServer.respond(request);
    }
    const account = await this.#authorizationServer.authenticate(request);
    return account instanceof Response ? account : withCors(await this.#respondToMcp(request, account), request);
  }

  async #respondToMcp(request: ReceivedRequest, account: GrantAccount): Promise<Response> {
    const { method, url, headers, body } = request;
    const origin = headers.get('origin');
    if (origin !== null && this.profile.origins === 'refused') {
      return invalidOrigin(origin);
    }
    const failure = this.#identityFailure(request);
    switch (failure) {
      case 'unauthorized':
        return this.#authorizationServer.rejectToken(request);
      case 'rateLimited':
        return faultResponse(apiError(429, retryAfterSeconds));
      case 'unavailable':
        return faultResponse(apiError(503, retryAfterSeconds));
    }
    const { directory, profile } = this;
    const user = directory.users.find(({ id }) => id === account.user);
    const workspace = directory.workspaces.find(({ id }) => id === account.workspace);
    if (user === undefined || workspace === undefined) {
      throw new Error('the consent was for an unknown user or workspace');
    }
    return respondToMcp(
      new Request(url, { method, headers, ...(body !== '' && { body }) }),
      { user, workspace, directory, profile, nowMs: this.#nowMs, tasks: this.#tasks },
      failure,
    );
  }

  /** How this request fails because it reads the identity; it counts. */
  #identityFailure({ body }: ReceivedRequest): IdentityFailure['as'] | undefined {
    const { identityFailure } = this.profile;
    if (identityFailure === undefined || identityFailure.times === 0 || !readsIdentity(jsonObject(body))) {
      return undefined;
    }
    identityFailure.times -= 1;
    return identityFailure.as;
  }
}

/** Reported: the MCP endpoint refuses most web pages, but only after it accepted their token. */
function invalidOrigin(origin: string): Response {
  const error = { code: -32_000, message: `Invalid Origin: ${origin.replace(/^.*:\/\//, '')}` };
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 403 });
}

function faultResponse({ status, body = '', headers }: Extract<Fault, { kind: 'respond' }>): Response {
  return new Response(body || null, { status, headers: headers ?? { 'content-type': 'text/html' } });
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
