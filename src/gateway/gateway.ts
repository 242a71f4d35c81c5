import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from '#platform/listen';
import { createDirectUpstream } from '#platform/pools';
import { ask, type GatewayAccounts, type Outcome } from '../calls/accountCall.ts';
import { errorOf, type Problem, type Sentence } from '../calls/problem.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Secret } from '../core/secret.ts';
import { HttpFailure } from '../http/errors.ts';
import { createFetchUpstream } from '../http/fetchTransport.ts';
import { chooseUpstream, type Upstream } from '../http/transport.ts';
import { isDirect } from '../http/url.ts';
import { requestIdsOf, requestIdsOfEnds } from '../mcp/jsonRpc.ts';
import { CallerAuthorizer } from './authorize.ts';
import { headersForServer } from './headers.ts';
import { type RequestBody, readBody } from './requestBody.ts';
import { type Call, refuse, respondToDelete, respondToGet, respondToPost } from './respond.ts';

export interface GatewayParts {
  accounts: GatewayAccounts;
  upstream: Upstream;
  notices: GatewayReminders;
  /** Words the errors that callers get. */
  sentence: Sentence;
  /** Listens on 127.0.0.1 at a free port. */
  listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<GatewayListener>;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

export interface GatewayListener {
  port: number;
  /** Cuts every connection and frees the port. */
  abort(): Promise<void>;
}

/**
 * The MCP endpoint of this window: one path an account, to which callers speak as to Notion's own server, with a secret
 * of ours in place of a token. A token is put in on the way, fresh for each request, so that no caller ever sees one
 * expire.
 */
export class Gateway {
  readonly #parts: GatewayParts;
  readonly #notices: OnceReminders;
  #opening: Promise<Open> | undefined;
  #open: Open | undefined;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#notices = new OnceReminders(parts.notices);
  }

  /**
   * Binds a port, and keeps it until `close`: were it let go, another user of the machine could take it and be sent the
   * secret. Does nothing while it listens. @throws what `listen` throws
   */
  async listen(): Promise<void> {
    this.#opening ??= this.#bind();
    await this.#opening;
  }

  /** `http://127.0.0.1:<port>`, or undefined while it does not listen. */
  get address(): string | undefined {
    return this.#open && `http://${this.#open.host}`;
  }

  /** Where callers reach an account. @throws Error while it does not listen */
  urlFor(grantId: string): string {
    const { host, authorizer } = this.#listening();
    return `http://${host}${authorizer.pathFor(grantId)}`;
  }

  /** What callers of an account send as Bearer token, for as long as this listen lasts. @throws Error while it does not listen */
  secretFor(grantId: string): Secret {
    return this.#listening().authorizer.secretFor(grantId);
  }

  /** Ends all calls, here and upstream, and lets the port go. A later `listen` has other secrets. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#open = undefined;
    const open = await opening?.catch(() => undefined);
    await Promise.all([open?.listener.abort(), this.#parts.upstream.close()]);
  }

  async #bind(): Promise<Open> {
    const { listen, randomness, log } = this.#parts;
    try {
      let authorizer: CallerAuthorizer | undefined;
      const listener = await listen((request, response) => {
        this.#handle(authorizer?.authorize(request), request, response);
      });
      const host = `127.0.0.1:${listener.port}`;
      authorizer = new CallerAuthorizer(host, randomness);
      log.info('The gateway listens', { port: listener.port });
      this.#open = { host, authorizer, listener };
      return this.#open;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  #listening(): Open {
    if (this.#open === undefined) {
      throw new Error('The gateway does not listen.');
    }
    return this.#open;
  }

  #handle(grantId: string | undefined, request: IncomingMessage, response: ServerResponse): void {
    if (grantId === undefined) {
      // Whatever a stranger sends is not read.
      response.writeHead(404, { connection: 'close', 'content-length': 0 }).end();
      return;
    }
    this.#serve(grantId, request, response).catch((error: unknown) => {
      if (!(error instanceof HttpFailure)) {
        this.#parts.log.error('The gateway failed', { error: error instanceof Error ? error.name : typeof error });
      }
      response.destroy();
    });
  }

  async #serve(grantId: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) {
        left.abort();
      }
    });
    const { method } = request;
    if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') {
      response.writeHead(405, { allow: 'GET, POST, DELETE', connection: 'close', 'content-length': 0 }).end();
      return;
    }
    const body = method === 'POST' ? await readBody(request) : undefined;
    const call = this.#call(grantId, request, response, body);
    if (body?.kind === 'tooLarge') {
      refuse(call, { kind: 'tooLarge', host: call.host });
      return;
    }
    const outcome: Outcome = await ask(this.#parts, grantId, {
      method,
      headers: headersForServer(request.headers),
      signal: left.signal,
      ...(body && { body: body.bytes }),
    });
    if ('answer' in outcome) {
      this.#notices.well(grantId);
    }
    await responders[method](call, outcome);
  }

  #call(grantId: string, request: IncomingMessage, response: ServerResponse, body: RequestBody | undefined): Call {
    const { accounts, sentence, log } = this.#parts;
    return {
      response,
      host: hostOf(accounts.find(grantId)?.serverUrl),
      hasSession: request.headers['mcp-session-id'] !== undefined,
      requestIds: () => {
        if (body === undefined) {
          return { ids: [], batch: false };
        }
        return body.kind === 'whole' ? requestIdsOf(body.bytes) : requestIdsOfEnds(body.head, body.tail);
      },
      errorFor: (problem) => {
        const { kind, status } = problem;
        const { method } = request;
        // A stream that cannot be opened is asked for again every half minute.
        log[method === 'POST' ? 'warn' : 'debug']('The gateway answers with an error', { method, kind, status });
        this.#notices.tell(grantId, problem);
        return errorOf(problem, sentence);
      },
    };
  }
}

interface Open {
  host: string;
  authorizer: CallerAuthorizer;
  listener: GatewayListener;
}

const responders = { POST: respondToPost, GET: respondToGet, DELETE: respondToDelete } as const;

function hostOf(serverUrl: string | undefined): string {
  return serverUrl === undefined ? '' : new URL(serverUrl).host;
}

/** What a person should hear of while callers only get an error. */
export interface GatewayReminders {
  /** An account that callers want to use needs its person. */
  signInNeeded(grantId: string): void;
  /** The server wants scopes that the account's grant lacks; none named means that it did not say which. */
  insufficientScope(grantId: string, scopes: readonly string[]): void;
}

/** Tells each thing once: a chat that tries ten tools must not show ten messages. */
export class OnceReminders {
  readonly #notices: GatewayReminders;
  readonly #awaitingSignIn = new Set<string>();
  readonly #scopesTold = new Set<string>();

  constructor(notices: GatewayReminders) {
    this.#notices = notices;
  }

  /** The account's token could be used: should it need a sign-in again, that is news. */
  well(grantId: string): void {
    this.#awaitingSignIn.delete(grantId);
  }

  tell(grantId: string, { kind, scopes = [] }: Problem): void {
    if (kind === 'signInNeeded' && !this.#awaitingSignIn.has(grantId)) {
      this.#awaitingSignIn.add(grantId);
      this.#notices.signInNeeded(grantId);
    }
    const wanted = JSON.stringify([grantId, ...scopes]);
    if (kind === 'insufficientScope' && !this.#scopesTold.has(wanted)) {
      this.#scopesTold.add(wanted);
      this.#notices.insufficientScope(grantId, scopes);
    }
  }
}

/** Opens the gateway of this window, with the platform's ways to listen and to send. @throws what listening throws */
export async function openGateway(parts: Omit<GatewayParts, 'upstream' | 'listen'>): Promise<Gateway | undefined> {
  if (listen === undefined) {
    return undefined;
  }
  const direct = createDirectUpstream();
  const host = createFetchUpstream((input, init) => globalThis.fetch(input, init));
  const gateway = new Gateway({
    ...parts,
    listen,
    upstream: direct === undefined ? host : chooseUpstream(isDirect, { direct, host }),
  });
  await gateway.listen();
  return gateway;
}
