import type { Accounts } from '../accounts/accounts.ts';
import type { Log } from '../core/log.ts';
import { assertPublic, type Http, type Lookup, withLogging } from '../http/client.ts';
import { discover } from '../oauth/discovery.ts';
import { transportFailure } from '../oauth/errorResponse.ts';
import { Failure } from '../oauth/errors.ts';
import type { Client, Discovery } from '../oauth/model.ts';
import { type ConfiguredClient, chooseClient } from '../oauth/registration.ts';
import { type Attempt, createAttempt } from './attempts.ts';
import { nextChannel, whenAborted } from './awaitCallback.ts';
import type { ChannelName, OpenChannel, OpenChannelByName } from './channel.ts';
import { type ClientIssuers, type ClientQuestion, confirmClientUse } from './configuredClient.ts';
import { completeSignIn, type SignInResult } from './exchange.ts';
import { type ConsentParts, requestConsent } from './requestConsent.ts';
import type { ShowStage } from './stage.ts';

export interface SignInRequest {
  serverUrl: URL;
  /**
   * The scopes that the consumer requested; stored with the account. Discovery and `stepUpScopes` alone decide which
   * scopes go to the authorization server (A11, A17).
   */
  scopes: readonly string[];
  /** Scopes that the MCP server demanded of the account's token, requested besides those that discovery names (A17). */
  stepUpScopes?: readonly string[];
  /** Aborts when the user clicks Cancel; the caller is released at once, whatever the state of the network. */
  signal: AbortSignal;
  onStage: ShowStage;
  /** Called with each channel that the sign-in goes on with. */
  onChannel?: (name: ChannelName) => void;
  /** Asks the user to confirm a sign-in at these hosts; called only when they are not the expected ones. */
  confirmHosts: (mcpHost: string, authorizationHost: string) => Promise<boolean>;
  /** Asks the user whether to use the configured client; called only if there is a reason. */
  confirmClient: (question: ClientQuestion) => Promise<boolean>;
  /** The log of this sign-in. */
  log: Log;
}

export interface SignInParts extends ConsentParts {
  http: Http;
  /** Absent where names cannot be looked up (in a web worker). */
  lookup?: Lookup | undefined;
  accounts: Pick<Accounts, 'list' | 'storeSignIn'>;
  /** The channels that can work in this environment, best first. */
  channels: () => readonly ChannelName[];
  openChannel: OpenChannelByName;
  /** The client that the user configured; without one, each sign-in registers its own client. */
  configuredClient: () => ConfiguredClient | undefined;
  clientIssuers: ClientIssuers;
  /** The MCP server that needs no confirmation, as `serverUrl.href`. */
  defaultServerUrl: string;
  clientName: string;
}

/** A sign-in in progress, with the HTTP client that sends its requests. */
interface Run extends SignInRequest {
  http: Http;
}

/** Runs a sign-in from discovery to the stored grant. Between sign-ins it remembers only what servers speak. */
export class SignIn {
  readonly #parts: SignInParts;
  readonly #olderOrigins = new Set<string>();

  constructor(parts: SignInParts) {
    this.#parts = parts;
  }

  /**
   * Signs in once. Unless it succeeds, nothing is stored and no stored grant changes.
   * @throws Failure when the sign-in fails, of kind `cancelled` as soon as `signal` aborts
   */
  async run(request: SignInRequest): Promise<SignInResult> {
    const http = withLogging(this.#parts.http, request.log, this.#parts.clock);
    const cancelled = whenAborted(request.signal);
    try {
      return await Promise.race([this.#run({ ...request, http }), cancelled.promise]);
    } finally {
      cancelled.stop();
    }
  }

  async #run(request: Run): Promise<SignInResult> {
    const { channels, openChannel } = this.#parts;
    const { serverUrl, signal, http, log } = request;
    const [first, ...others] = channels();
    if (first === undefined) {
      throw new Failure('misconfigured', { step: 'authorization', code: 'no_channel' });
    }
    request.onStage('discovering', serverUrl.host);
    const opening = openChannel(first);
    // It may fail while discovery still runs; discovery's failure counts first.
    opening.catch(() => undefined);
    let discovery: Discovery;
    try {
      discovery = await discover(http, serverUrl, { signal });
      await this.#assertPublicEndpoint(discovery);
      await this.#confirm(request, discovery);
    } catch (error) {
      opening.then(
        (opened) => opened.close(),
        () => undefined,
      );
      throw error;
    }
    let opened = await opening;
    for (;;) {
      const next = others.shift();
      const result = await this.#runOverChannel(opened, request, discovery, next !== undefined);
      if (result !== nextChannel) {
        return result;
      }
      if (next === undefined) {
        throw new Failure('misconfigured', { step: 'authorization', code: 'no_channel' });
      }
      log.info('The sign-in continues over the next channel.', { channel: next });
      opened = await openChannel(next);
    }
  }

  /**
   * Runs the sign-in over one channel. Resolves to `nextChannel` when the authorization server rejects the channel's
   * redirect URI or the user chooses to try the next channel.
   */
  async #runOverChannel(
    opened: OpenChannel,
    request: Run,
    discovery: Discovery,
    hasNextChannel: boolean,
  ): Promise<SignInResult | typeof nextChannel> {
    const { serverUrl, signal, onChannel } = request;
    onChannel?.(opened.name);
    try {
      signal.throwIfAborted();
      const configured = this.#parts.configuredClient();
      const client = await this.#attempt(request)(() => this.#chooseClient(request, discovery, opened, configured));
      const consent = await requestConsent(this.#parts, { ...request, opened, discovery, client, hasNextChannel });
      if (consent === nextChannel) {
        return nextChannel;
      }
      request.onStage('finishing', serverUrl.host);
      const result = await completeSignIn(
        { ...request, attempt: this.#attempt(request, configured === undefined) },
        { ...consent, discovery, client, redirectUri: opened.redirectUri },
        { ...this.#parts, olderOrigins: this.#olderOrigins },
      );
      if (configured !== undefined) {
        // The server gave tokens to this client, so the client is its own (A10).
        this.#parts.clientIssuers.set(configured.clientId, discovery.authorizationServer.issuer);
      }
      return result;
    } catch (error) {
      if (hasNextChannel && error instanceof Failure && error.details.code === 'invalid_redirect_uri') {
        return nextChannel;
      }
      throw error;
    } finally {
      opened.close();
    }
  }

  /** Sends requests again after passing failures, within a time limit that begins now. */
  #attempt({ signal, log, onStage, serverUrl }: Run, isNewClient = true): Attempt {
    const { clock, randomness } = this.#parts;
    const onPause = ({ details: { wasSent, host = serverUrl.host } }: Failure) =>
      onStage(wasSent === undefined ? 'serverBusy' : 'unreachable', host);
    return createAttempt({ isNewClient, signal, onPause, clock, randomness, log });
  }

  /** No public server may send the browser to this machine or its network, where a page may act on a mere visit (A23). */
  async #assertPublicEndpoint({ authorizationServer }: Discovery): Promise<void> {
    const { authorizationEndpoint, onPrivateNetwork } = authorizationServer;
    if (!onPrivateNetwork) {
      await assertPublic(this.#parts, new URL(authorizationEndpoint)).catch((error: unknown) => {
        throw transportFailure(error, 'discovery');
      });
    }
  }

  /**
   * Names the hosts to the user before the browser opens if the MCP server is not the default one or if its
   * authorization endpoint is on another origin. Then asks about the configured client, if there is reason to.
   */
  async #confirm(request: SignInRequest, { authorizationServer }: Discovery): Promise<void> {
    const { serverUrl, confirmHosts } = request;
    const endpoint = new URL(authorizationServer.authorizationEndpoint);
    const expected = serverUrl.href === this.#parts.defaultServerUrl && endpoint.origin === serverUrl.origin;
    if (!expected && !(await confirmHosts(serverUrl.host, endpoint.host))) {
      throw new Failure('cancelled', { step: 'authorization', code: 'hosts_declined' });
    }
    const configured = this.#parts.configuredClient();
    if (configured !== undefined) {
      await confirmClientUse(configured, authorizationServer.issuer, { ...this.#parts, ...request });
    }
  }

  /**
   * Registers a new client for exactly this redirect URI at every sign-in. A second consent under the same client
   * revokes the first grant at once (observed with workers-oauth-provider), so a client whose grant is still active is
   * never reused.
   */
  async #chooseClient(
    { http, log, signal }: Run,
    discovery: Discovery,
    { redirectUri, name }: OpenChannel,
    configured: ConfiguredClient | undefined,
  ): Promise<Client> {
    const { clientName } = this.#parts;
    const client = await chooseClient(http, discovery.authorizationServer, {
      redirectUri,
      clientName,
      signal,
      configured,
    });
    log.info('The OAuth client is ready.', {
      channel: name,
      configured: configured !== undefined,
      authMethod: client.authMethod,
    });
    return client;
  }
}
