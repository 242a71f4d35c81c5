import type { Accounts } from '../accounts/accounts.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Secret } from '../core/secret.ts';
import { type Http, withLogging } from '../http/client.ts';
import { buildAuthorization } from '../oauth/authorization.ts';
import { Failure } from '../oauth/errors.ts';
import type { Client, Discovery } from '../oauth/model.ts';
import { chooseClient } from '../oauth/registration.ts';
import { type AwaitCallbackParts, awaitCallback, nextChannel, whenAborted } from './awaitCallback.ts';
import type { ChannelName, OpenChannel, OpenChannelByName } from './channel.ts';
import type { DiscoveryCache } from './discoveryCache.ts';
import { completeSignIn, type SignInResult } from './exchange.ts';
import type { PendingSignIns } from './pending.ts';

/** What a sign-in is doing, for the progress notification. */
export type SignInStage = 'discovering' | 'waitingForBrowser' | 'finishing';

/** What the person may do while the browser is waited for. */
export interface BrowserChoices {
  /** Shows the consent page once more: its tab may have been closed. */
  openAgain: () => void;
  /** Missing when no other channel is left. */
  tryNextChannel?: () => void;
}

export interface SignInRequest {
  serverUrl: URL;
  /** What the consumer asked for; kept with the account. What goes to the server is chosen by discovery alone (A11). */
  scopes: readonly string[];
  /** The person's Cancel: frees the caller at once, however the network stands. */
  signal: AbortSignal;
  onStage: (stage: SignInStage, host: string, choices?: BrowserChoices) => void;
  /** Asks whether these hosts may see a sign-in; called only when they are not what one would expect. */
  confirmHosts: (mcpHost: string, authorizationHost: string) => Promise<boolean>;
  /** The log of this one sign-in. */
  log: Log;
}

export interface SignInParts extends AwaitCallbackParts {
  http: Http;
  accounts: Accounts;
  pending: PendingSignIns;
  discoveryCache: DiscoveryCache;
  /** The channels that this situation allows, best first. */
  channels: () => readonly ChannelName[];
  openChannel: OpenChannelByName;
  /** A client that the person registered; else one is registered at each sign-in. */
  configuredClientId: () => string | undefined;
  /** The server that needs no question, as `serverUrl.href`. */
  defaultServerUrl: string;
  clientName: string;
  randomness: Randomness;
}

/** A sign-in that is under way, and how its requests are sent. */
interface Run extends SignInRequest {
  http: Http;
}

/** One sign-in, from discovery to the stored grant. Holds no state of its own between sign-ins. */
export class SignIn {
  readonly #parts: SignInParts;

  constructor(parts: SignInParts) {
    this.#parts = parts;
  }

  /**
   * Signs in once. Nothing is stored, and no stored grant touched, unless it succeeds.
   * @throws Failure, of kind `cancelled` as soon as `signal` aborts
   */
  async run(request: SignInRequest): Promise<SignInResult> {
    const http = withLogging(this.#parts.http, request.log, this.#parts.clock);
    const cancelled = whenAborted(request.signal);
    try {
      return await Promise.race([this.#run({ ...request, http }), cancelled.promise]);
    } catch (error) {
      if (!(error instanceof Failure) || (error.kind !== 'cancelled' && error.kind !== 'accessDenied')) {
        // It may have failed because the server has changed since it was asked.
        this.#parts.discoveryCache.forget(request.serverUrl);
      }
      throw error;
    } finally {
      cancelled.stop();
    }
  }

  async #run(request: Run): Promise<SignInResult> {
    const { discoveryCache, channels, openChannel } = this.#parts;
    const { serverUrl, signal, http, log } = request;
    const [first, ...others] = channels();
    if (first === undefined) {
      throw new Failure('misconfigured', { step: 'authorization', code: 'no_channel' });
    }
    request.onStage('discovering', serverUrl.host);
    const opening = openChannel(first);
    let discovery: Discovery;
    try {
      discovery = await discoveryCache.of(http, serverUrl, signal);
      await this.#confirm(request, discovery);
    } catch (error) {
      // Both ran at once: what was opened for nothing is closed, and its own failure is not the one to report.
      opening.then(
        (opened) => opened.close(),
        () => undefined,
      );
      throw error;
    }
    let opened = await opening;
    for (;;) {
      const next = others.shift();
      const result = await this.#runThrough(opened, request, discovery, next !== undefined);
      if (result !== nextChannel) {
        return result;
      }
      if (next === undefined) {
        throw new Failure('misconfigured', { step: 'authorization', code: 'no_channel' });
      }
      log.info('The sign-in goes on by the next channel.', { channel: next });
      opened = await openChannel(next);
    }
  }

  /** The sign-in by one channel; `nextChannel` when the server or the person does not want that channel. */
  async #runThrough(
    opened: OpenChannel,
    request: Run,
    discovery: Discovery,
    canGoOn: boolean,
  ): Promise<SignInResult | typeof nextChannel> {
    const { serverUrl, signal } = request;
    try {
      signal.throwIfAborted();
      const client = await this.#chooseClient(request, discovery, opened);
      const consent = await this.#consent(opened, request, discovery, client, canGoOn);
      if (consent === nextChannel) {
        return nextChannel;
      }
      request.onStage('finishing', serverUrl.host);
      return await completeSignIn(
        request,
        { ...consent, discovery, client, redirectUri: opened.redirectUri },
        this.#parts,
      );
    } catch (error) {
      if (canGoOn && error instanceof Failure && error.details.code === 'invalid_redirect_uri') {
        return nextChannel;
      }
      throw error;
    } finally {
      opened.close();
    }
  }

  /** A server that is not Notion's, or one that sends the person to another origin, is named before the browser opens. */
  async #confirm({ serverUrl, confirmHosts }: SignInRequest, { authorizationServer }: Discovery): Promise<void> {
    const endpoint = new URL(authorizationServer.authorizationEndpoint);
    const expected = serverUrl.href === this.#parts.defaultServerUrl && endpoint.origin === serverUrl.origin;
    if (!expected && !(await confirmHosts(serverUrl.host, endpoint.host))) {
      throw new Failure('cancelled', { step: 'authorization', code: 'hosts_declined' });
    }
  }

  /**
   * A client for exactly this redirect URI, afresh for every sign-in: a second consent under the same client revokes
   * the first grant at once (seen at workers-oauth-provider), so a client with a living grant is never used again.
   */
  async #chooseClient(
    { http, log, signal }: Run,
    discovery: Discovery,
    { redirectUri, name }: OpenChannel,
  ): Promise<Client> {
    const { clientName, configuredClientId } = this.#parts;
    const clientId = configuredClientId();
    const client = await chooseClient(http, discovery.authorizationServer, {
      redirectUri,
      clientName,
      signal,
      ...(clientId !== undefined && { configured: { clientId } }),
    });
    log.info('The authorization server knows this editor.', {
      channel: name,
      configured: clientId !== undefined,
      authMethod: client.authMethod,
    });
    return client;
  }

  async #consent(
    opened: OpenChannel,
    { signal, onStage, log }: Run,
    discovery: Discovery,
    client: Client,
    canGoOn: boolean,
  ): Promise<{ code: Secret; verifier: Secret } | typeof nextChannel> {
    const { openBrowser, pending, randomness } = this.#parts;
    const authorization = await buildAuthorization(discovery, client, {
      redirectUri: opened.redirectUri,
      ...(discovery.scopes && { scopes: discovery.scopes }),
      randomness,
      prompt: 'consent',
    });
    const waiting = await pending.wait(authorization, discovery.authorizationServer, opened.name, log);
    const another = Promise.withResolvers<typeof nextChannel>();
    const { host } = new URL(authorization.url);
    onStage('waitingForBrowser', host, {
      openAgain: () => void openBrowser(authorization.url).catch(() => undefined),
      ...(canGoOn && { tryNextChannel: () => another.resolve(nextChannel) }),
    });
    log.info('The browser is asked to open the consent page.', { channel: opened.name });
    try {
      const code = await awaitCallback(this.#parts, authorization.url, waiting, opened, {
        signal,
        whenNextChannel: another.promise,
      });
      return code === nextChannel ? nextChannel : { code, verifier: authorization.verifier };
    } finally {
      waiting.end();
    }
  }
}
