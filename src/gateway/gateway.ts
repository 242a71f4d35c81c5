import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from '#platform/listen';
import { type ForwardedRequest, forward, type Outcome } from '../calls/forward.ts';
import { OpenCalls } from '../calls/openCalls.ts';
import { errorOf, type Problem } from '../calls/problem.ts';
import type { Secret } from '../core/secret.ts';
import { HttpFailure } from '../http/errors.ts';
import { isLoopback } from '../http/url.ts';
import { discoverMethod, isModernRevision } from '../mcp/revision.ts';
import { CallerAuthorizer } from './authorize.ts';
import { type Caller, editorAgent, type GatewayServices, type OpenGateway, type RunningGateway } from './contract.ts';
import type { Exchange } from './exchange.ts';
import { headersForServer } from './headers.ts';
import { OnceReminders } from './onceReminders.ts';
import { emptyRequestBody, type RequestBody, readBody } from './requestBody.ts';
import { respondToDelete, respondToGet, respondToPost } from './respond.ts';

export interface GatewayParts extends GatewayServices {
  /** Listens on 127.0.0.1 on a free port. A connection is closed within seconds unless `admit` is called for it. */
  listen(
    handle: (request: IncomingMessage, response: ServerResponse, admit: () => void) => void,
  ): Promise<GatewayListener>;
}

export interface GatewayListener {
  port: number;
  /** Closes every connection and releases the port. */
  abort(): Promise<void>;
}

/**
 * The MCP endpoint of this window, with one path for each account. Callers use it like Notion's MCP server, but send a
 * secret of the gateway instead of an access token. The gateway adds a valid access token to each request, so that no
 * caller ever has an expired one.
 */
export class Gateway implements RunningGateway {
  readonly #parts: GatewayParts;
  readonly #reminders: OnceReminders;
  readonly #calls: OpenCalls;
  #opening: Promise<Open> | undefined;
  #open: Open | undefined;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#reminders = new OnceReminders(parts.reminders);
    this.#calls = new OpenCalls(parts);
  }

  /**
   * Binds a port and keeps it until `close`: if it were released earlier, another user of the machine could bind it and
   * receive the secret. Does nothing if the gateway already listens.
   * @throws whatever the platform's `listen` throws
   */
  async listen(): Promise<void> {
    this.#opening ??= this.#bind();
    await this.#opening;
  }

  /** `http://127.0.0.1:<port>`, or undefined while the gateway is not listening. */
  get address(): string | undefined {
    return this.#open && `http://${this.#open.host}`;
  }

  /** Returns the URL at which callers reach an account. @throws Error while the gateway is not listening */
  urlFor(grantId: string): string {
    const { host, authorizer } = this.#listening();
    return `http://${host}${authorizer.pathFor(grantId)}`;
  }

  /**
   * Returns the secret that callers of an account send as the Bearer token. It is valid until `close`.
   * @throws Error while the gateway is not listening
   */
  secretFor(grantId: string): Secret {
    return this.#listening().authorizer.secretFor(grantId);
  }

  serve(caller: Caller, request: IncomingMessage, response: ServerResponse): void {
    this.#serve(caller, request, response).catch((error: unknown) => {
      if (!(error instanceof HttpFailure)) {
        this.#parts.log.error('The gateway failed to handle a request.', {
          error: error instanceof Error ? error.name : typeof error,
        });
      }
      response.destroy();
    });
  }

  endForbiddenCalls(): void {
    this.#calls.endEach((call) => this.#refusalOf(call));
  }

  /** Ends all calls, also those to MCP servers, and releases the port. The next `listen` creates new secrets. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#open = undefined;
    const open = await opening?.catch(() => undefined);
    await Promise.all([open?.listener.abort(), this.#parts.transport.close()]);
  }

  async #bind(): Promise<Open> {
    const { listen, randomness, log } = this.#parts;
    try {
      let authorizer: CallerAuthorizer | undefined;
      const listener = await listen((request, response, admit) => {
        const grantId = authorizer?.authorize(request);
        if (grantId === undefined) {
          // The body of an unauthorized request is not read.
          response.writeHead(404, { connection: 'close', 'content-length': 0 }).end();
          return;
        }
        admit();
        // Only the editor's own chat gets the secret.
        this.serve({ grantId, agent: editorAgent }, request, response);
      });
      const host = `127.0.0.1:${listener.port}`;
      authorizer = new CallerAuthorizer(host, randomness);
      log.info('The gateway is listening.', { port: listener.port });
      this.#open = { host, authorizer, listener };
      return this.#open;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  #listening(): Open {
    if (this.#open === undefined) {
      throw new Error('The gateway is not listening.');
    }
    return this.#open;
  }

  async #serve(caller: Caller, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method } = request;
    if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') {
      response.writeHead(405, { allow: 'GET, POST, DELETE', connection: 'close', 'content-length': 0 }).end();
      return;
    }
    if (request.headers['content-encoding'] !== undefined) {
      // The messages in it could not be read. No MCP client compresses its requests (RFC 7694 section 3).
      response.writeHead(415, { 'accept-encoding': 'identity', connection: 'close', 'content-length': 0 }).end();
      return;
    }
    const body = method === 'POST' ? await readBody(request) : emptyRequestBody();
    this.#logRequest(caller, body);
    const exchange = this.#exchange(caller, method, request, response, body);
    const { call } = exchange;
    response.on('close', () => {
      if (!response.writableFinished) {
        call.cancel();
      }
    });
    try {
      const outcome = await this.#outcome(exchange, method, request, body);
      if ('response' in outcome) {
        this.#reminders.clearSignInNeeded(caller.grantId);
      }
      await responders[method](exchange, outcome);
    } finally {
      call.close();
    }
  }

  /** Forwards a request that may be forwarded. */
  async #outcome(
    { call }: Exchange,
    method: ForwardedRequest['method'],
    request: IncomingMessage,
    { bytes, methods }: RequestBody,
  ): Promise<Outcome> {
    const refusal = this.#refusalOf(call);
    if (refusal !== undefined) {
      return { problem: refusal };
    }
    if (method === 'POST' && bytes === undefined) {
      return { problem: { kind: 'tooLarge', host: call.host } };
    }
    if (methods.has('tools/call')) {
      this.#parts.toolCalled(call.grantId, call.agent);
    }
    const headers = headersForServer(request.headers);
    return forward(this.#parts, call, { method, headers, ...(bytes && { body: bytes }) });
  }

  /** Logs which agent asks for what, but none of its words. */
  #logRequest({ agent }: Caller, { requests, methods }: RequestBody): void {
    if (requests.count > 0) {
      const [method = ''] = methods;
      const isMethod = /^[a-z]{1,20}(\/[a-z]{1,20}){0,2}$/i.test(method);
      this.#parts.log.debug('An agent sends a request.', { agent, method: isMethod ? method : 'other' });
    }
  }

  /** Why an agent's calls of an account are refused; undefined if they are not. */
  #refusalOf({ grantId, agent }: Caller): Problem | undefined {
    const { accounts, permission } = this.#parts;
    const account = accounts.find(grantId);
    if (account === undefined) {
      return { kind: 'signedOut', host: '' };
    }
    const granted = permission(grantId, agent);
    if (granted === 'allowed') {
      return undefined;
    }
    const { host } = new URL(account.serverUrl);
    return agent === editorAgent
      ? { kind: 'notOffered', host }
      : { kind: granted === 'denied' ? 'notAllowed' : 'consentPending', host, agent };
  }

  #exchange(
    { grantId, agent }: Caller,
    method: ForwardedRequest['method'],
    { headers }: IncomingMessage,
    response: ServerResponse,
    { requests, isBatch, methods }: RequestBody,
  ): Exchange {
    const { accounts, sentence, scopesDemanded, consentNeeded, clock, log } = this.#parts;
    const account = accounts.find(grantId);
    const { host, hostname } = new URL(account?.serverUrl ?? 'about:blank');
    const isDiscovery = methods.has(discoverMethod);
    const isOpening = isDiscovery || methods.has('initialize');
    const call = this.#calls.open({ grantId, agent, host, isLocal: isLoopback(hostname), method, messages: methods });
    return {
      response,
      call,
      requests,
      isBatch,
      hasSession: headers['mcp-session-id'] !== undefined,
      lastEventId: typeof headers['last-event-id'] === 'string' ? headers['last-event-id'] : undefined,
      isModern: isDiscovery || isModernRevision(headers['mcp-protocol-version']),
      acceptsEvents: /text\/event-stream|\*\/\*/.test(headers.accept ?? '*/*'),
      title: isOpening ? account?.serverNames?.title : undefined,
      clock,
      resume: (lastEventId) =>
        forward(this.#parts, call, {
          method: 'GET',
          headers: { ...headersForServer(headers), accept: 'text/event-stream', 'last-event-id': lastEventId },
        }),
      errorFor: (problem) => {
        const { kind, status, scopes } = problem;
        if (kind === 'insufficientScope' || scopes !== undefined) {
          scopesDemanded(grantId, scopes ?? []);
        }
        // Callers retry a stream that cannot be opened every half minute.
        const isCall = method === 'POST';
        log[isCall ? 'warn' : 'debug']('The gateway responds with an error.', { agent, method, kind, status });
        this.#reminders.remind(grantId, problem, account?.signedInAtMs);
        if (kind === 'consentPending' && isCall) {
          consentNeeded(grantId, agent);
        }
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

/**
 * Opens the gateway of this window on the platform's own listener. Resolves to undefined where the
 * platform cannot listen.
 * @throws whatever the platform's `listen` throws
 */
export const openGateway: OpenGateway = async (services) => {
  if (listen === undefined) {
    return undefined;
  }
  const gateway = new Gateway({ ...services, listen });
  await gateway.listen();
  return gateway;
};
