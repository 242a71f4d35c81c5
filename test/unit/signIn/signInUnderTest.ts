import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import type { CallbackResult, ChannelName, OpenChannel } from '../../../src/signIn/channel.ts';
import type { SignInResult } from '../../../src/signIn/exchange.ts';
import { PendingSignIns } from '../../../src/signIn/pending.ts';
import { SignIn, type SignInParts, type SignInRequest } from '../../../src/signIn/signIn.ts';
import type { BrowserChoices } from '../../../src/signIn/stage.ts';
import { Machine, type Window } from '../accounts/machine.ts';
import { FakeClock } from '../fakeClock.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import type { LoopbackServer, Route, RouteResponse } from '../oauth/loopbackServer.ts';
import { notionLike } from '../oauth/notionLike.ts';

/** A sign-in at a scripted server, with real accounts. The test plays the browser and its user. */
export class SignInUnderTest {
  readonly server: LoopbackServer;
  readonly window: Window;
  readonly clock = new FakeClock();
  /** What happened to the channels, in order, such as `open uriHandler`. */
  readonly channels: string[] = [];
  /** The authorization URLs that were opened in the browser. */
  readonly openedUrls: string[] = [];
  /** The stages of the sign-ins, in order, each with its host, such as `serverBusy mcp.example`. */
  readonly stages: string[] = [];
  /** The pauses before a request was sent again, in milliseconds. */
  readonly pausesMs: number[] = [];
  /** Called in each pause; by default, the pause passes. */
  onPause = (): void => void this.pausesMs.push(this.clock.advanceToNextTimer());
  /** What the user decides as soon as a page opens; `undefined` to leave the page open. */
  decision: 'allow' | 'deny' | undefined = 'allow';
  readonly #closed = Promise.withResolvers<void>();
  readonly #opened: (() => void)[] = [];
  #choices: BrowserChoices | undefined;
  readonly #log = new Log({ error: () => {}, warn: () => {}, info: () => {}, debug: () => {} });
  readonly #pending = new PendingSignIns(this.#log);
  readonly #signIn: SignIn;

  private constructor(server: LoopbackServer, window: Window, parts: Partial<SignInParts>) {
    this.server = server;
    this.window = window;
    this.#signIn = new SignIn({
      http: fetchHttp,
      accounts: window.accounts,
      pending: this.#pending,
      channels: () => ['uriHandler'],
      openChannel: async (name) => this.channel(name),
      configuredClient: () => undefined,
      clientIssuers: new Map(),
      openBrowser: (url) => this.openBrowser(url),
      defaultServerUrl: `${server.origin}/mcp`,
      clientName: 'Test',
      clock: this.clock,
      randomness: { ...systemRandomness, fraction: () => 0.5 },
      ...parts,
    });
  }

  static async start(t: TestContext, parts: Partial<SignInParts> = {}): Promise<SignInUnderTest> {
    const server = await notionLike(t);
    server.routes['/register'] = { status: 201, body: { client_id: 'client' } };
    server.routes['/token'] = { body: { access_token: 'access', token_type: 'bearer', refresh_token: 'refresh' } };
    const challenge = server.routes['/mcp'] ?? assert.fail();
    // Tests replace the route of requests with a token.
    server.routes['/mcp'] = { body: { jsonrpc: '2.0', id: 1, result: identity } };
    server.routes['POST /mcp'] = (received, response) => {
      const route = received.headers.authorization === undefined ? challenge : (server.routes['/mcp'] ?? challenge);
      return typeof route === 'function' ? route(received, response) : route;
    };
    const machine = await Machine.start(t);
    const window = await machine.open({ serverUrl: `${server.origin}/mcp` });
    return new SignInUnderTest(server, window, parts);
  }

  run({ signal = new AbortController().signal, ...more }: Partial<SignInRequest> = {}): Promise<SignInResult> {
    return this.#signIn.run({
      serverUrl: new URL(`${this.server.origin}/mcp`),
      scopes: ['default'],
      signal,
      onStage: (stage, host, choices) => {
        this.stages.push(`${stage} ${host}`);
        this.#choices = choices ?? this.#choices;
        if (stage === 'serverBusy' || stage === 'unreachable') {
          // The sign-in sets its timer after this call.
          setImmediate(this.onPause);
        }
      },
      confirmHosts: async () => true,
      confirmClient: async () => assert.fail('the client was to be confirmed'),
      log: this.#log,
      ...more,
    });
  }

  /** A channel that records that it was opened and closed. */
  channel(name: ChannelName): OpenChannel {
    this.channels.push(`open ${name}`);
    return {
      name,
      redirectUri: `http://127.0.0.1:50123/${name}`,
      ...(name !== 'uriHandler' && {
        collect: async (receive) => {
          if (this.decision !== undefined) {
            await receive(this.#response(this.openedUrls.at(-1)));
          }
        },
      }),
      close: () => {
        this.channels.push(`close ${name}`);
        this.#closed.resolve();
      },
    };
  }

  /** Resolves once a channel was closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async openBrowser(url: string): Promise<boolean> {
    this.openedUrls.push(url);
    for (const resume of this.#opened.splice(0)) {
      resume();
    }
    if (this.decision !== undefined) {
      await this.respond(url);
    }
    return true;
  }

  /** Waits until the browser was opened `count` times; resolves to what the user can do while the page is open. */
  async waitForBrowser(count: number): Promise<BrowserChoices | undefined> {
    while (this.openedUrls.length < count) {
      await new Promise<void>((resolve) => this.#opened.push(resolve));
    }
    return this.#choices;
  }

  /** Delivers the response to an authorization request through the editor's URI handler. */
  respond(url: string | undefined, more: Record<string, string> = {}): Promise<CallbackResult> {
    return this.#pending.receive(this.#response(url, more));
  }

  #response(url = '', more: Record<string, string> = {}): string {
    const state = new URL(url).searchParams.get('state') ?? '';
    const outcome = this.decision === 'deny' ? { error: 'access_denied' } : { code: 'code' };
    return new URLSearchParams({ ...outcome, state, ...more }).toString();
  }
}

const self = { user: { id: 'u', name: 'Ada' }, workspace: { id: 'w', name: 'Wiki' } };
const identity = { content: [{ type: 'text', text: JSON.stringify({ self }) }] };

/** A server that asks for a pause of 20 seconds. */
export const busy: RouteResponse = { status: 503, headers: { 'retry-after': '20' } };

/** A server that refuses a registration for another reason than its redirect URI. */
export const otherwiseRefused: RouteResponse = { status: 400, body: { error: 'invalid_software_statement' } };

/** A route that responds with each of `first` once, and then always with the last one. */
export function inTurn(...responses: Route[]): Route {
  return (received, response) => {
    const next = (responses.length > 1 ? responses.shift() : responses[0]) ?? assert.fail();
    return typeof next === 'function' ? next(received, response) : next;
  };
}
