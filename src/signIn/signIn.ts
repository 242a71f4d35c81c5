import type { Clock, Randomness } from '../clock.ts';
import type { Accounts } from '../grants/accounts.ts';
import type { Grant } from '../grants/grant.ts';
import type { Http } from '../http/http.ts';
import type { Log } from '../log.ts';
import { type Identity, readIdentity } from '../notion/identity.ts';
import { buildAuthorization } from '../oauth/authorization.ts';
import type { Discovery } from '../oauth/authorizationServer.ts';
import type { Client, Tokens } from '../oauth/client.ts';
import { discover } from '../oauth/discovery.ts';
import { Failure } from '../oauth/failure.ts';
import { register } from '../oauth/registration.ts';
import { exchange, revoke } from '../oauth/tokens.ts';
import type { Secret } from '../secret.ts';
import type { Channel, OpenChannel } from './channels.ts';
import type { PendingSignIns } from './pending.ts';

/** What a sign-in is doing, for the progress notification. */
export type SignInStage = 'discovering' | 'waitingForBrowser' | 'finishing';

export interface SignInRequest {
  serverUrl: URL;
  /** What the consumer asked for; kept with the account. What goes to the server is chosen by discovery alone (A11). */
  scopes: readonly string[];
  /** The person's Cancel: frees the caller at once, however the network stands. */
  signal: AbortSignal;
  onStage: (stage: SignInStage, host: string) => void;
  /** Asks whether these hosts may see a sign-in; called only when they are not what one would expect. */
  confirmHosts: (mcpHost: string, authorizationHost: string) => Promise<boolean>;
}

export interface SignInResult {
  grant: Grant;
  /** The account was here before: the same user and workspace signed in again. */
  reconnected: boolean;
}

export interface SignInParts {
  http: Http;
  accounts: Accounts;
  pending: PendingSignIns;
  channel: Channel;
  /** Opens the authorization URL byte for byte as built. */
  openBrowser: (url: string) => Promise<boolean>;
  /** The server that needs no question, as `serverUrl.href`. */
  defaultServerUrl: string;
  clientName: string;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

/** How long the person may take in the browser. */
export const browserLimitMs = 5 * 60_000;
const identityLimitMs = 15_000;

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
    const cancelled = whenAborted(request.signal);
    try {
      return await Promise.race([this.#run(request), cancelled.promise]);
    } finally {
      cancelled.stop();
    }
  }

  async #run({ serverUrl, scopes, signal, onStage, confirmHosts }: SignInRequest): Promise<SignInResult> {
    const { http, accounts, channel, log, clock } = this.#parts;
    onStage('discovering', serverUrl.host);
    const opening = channel();
    let discovery: Discovery;
    try {
      discovery = await discover(http, serverUrl, { signal });
    } catch (error) {
      // Both ran at once: what was opened for nothing is closed, and its own failure is not the one to report.
      opening.then(
        (opened) => opened.close(),
        () => undefined,
      );
      throw error;
    }
    const opened = await opening;
    try {
      await this.#confirm(serverUrl, discovery, confirmHosts);
      signal.throwIfAborted();
      const client = await this.#register(discovery, opened, signal);
      const { code, verifier } = await this.#authorize(discovery, client, opened, signal, onStage);
      onStage('finishing', serverUrl.host);
      const { authorizationServer, resource } = discovery;
      const { redirectUri } = opened;
      const tokens = await exchange(http, authorizationServer, client, {
        code,
        verifier,
        redirectUri,
        resource,
        clock,
        signal,
      });
      log.info('The code was exchanged for tokens.', { expiresInSeconds: tokens.expiresInSeconds });
      if (signal.aborted) {
        await this.#giveBack(discovery, client, tokens);
        signal.throwIfAborted();
      }
      const identity = await this.#identify(serverUrl, tokens.accessToken, signal);
      if (signal.aborted) {
        await this.#giveBack(discovery, client, tokens);
        signal.throwIfAborted();
      }
      return await accounts.storeSignIn({
        serverUrl: serverUrl.href,
        resource,
        authorizationServer,
        client,
        tokens,
        ...(identity && { identity }),
        askedScopes: [...scopes],
      });
    } finally {
      opened.close();
    }
  }

  /** A server that is not Notion's, or one that sends the person to another origin, is named before the browser opens. */
  async #confirm(
    serverUrl: URL,
    { authorizationServer }: Discovery,
    confirmHosts: SignInRequest['confirmHosts'],
  ): Promise<void> {
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
  async #register(discovery: Discovery, { redirectUri, name }: OpenChannel, signal: AbortSignal): Promise<Client> {
    const { http, clientName, log } = this.#parts;
    const client = await register(http, discovery.authorizationServer, { redirectUri, clientName, signal });
    log.info('Registered with the authorization server.', { channel: name, authMethod: client.authMethod });
    return client;
  }

  async #authorize(
    discovery: Discovery,
    client: Client,
    { redirectUri }: OpenChannel,
    signal: AbortSignal,
    onStage: SignInRequest['onStage'],
  ): Promise<{ code: Secret; verifier: Secret }> {
    const { pending, openBrowser, randomness, clock, log } = this.#parts;
    const authorization = await buildAuthorization(discovery, client, {
      redirectUri,
      ...(discovery.scopes && { scopes: discovery.scopes }),
      randomness,
      prompt: 'consent',
    });
    const answer = await pending.wait(authorization, discovery.authorizationServer);
    // The promise is awaited below; a refusal that arrives while the browser still opens is not an unhandled one.
    answer.code.catch(() => undefined);
    const limit = Promise.withResolvers<never>();
    const stopLimit = clock.after(browserLimitMs, () =>
      limit.reject(new Failure('cancelled', { step: 'authorization', code: 'browser_limit' })),
    );
    const cancelled = whenAborted(signal);
    try {
      onStage('waitingForBrowser', new URL(authorization.url).host);
      if (!(await Promise.race([openBrowser(authorization.url), cancelled.promise]))) {
        throw new Failure('cancelled', { step: 'authorization', code: 'browser_not_opened' });
      }
      log.info('The browser was asked to open the consent page.');
      const code = await Promise.race([answer.code, limit.promise, cancelled.promise]);
      return { code, verifier: authorization.verifier };
    } finally {
      answer.end();
      stopLimit();
      cancelled.stop();
    }
  }

  /** Who the tokens are for. A failure here costs the label, never the sign-in. */
  async #identify(serverUrl: URL, accessToken: Secret, signal: AbortSignal): Promise<Identity | undefined> {
    const limit = new AbortController();
    const stopLimit = this.#parts.clock.after(identityLimitMs, () => limit.abort());
    try {
      return await readIdentity(this.#parts.http, serverUrl, accessToken, {
        signal: AbortSignal.any([signal, limit.signal]),
      });
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      this.#parts.log.warn('Notion did not say whose account this is; it gets a fallback label.', {
        kind: error.kind,
        code: error.details.code,
      });
      return undefined;
    } finally {
      stopLimit();
    }
  }

  /** Revokes tokens that nobody will use, best effort. */
  async #giveBack({ authorizationServer }: Discovery, client: Client, tokens: Tokens): Promise<void> {
    const token = tokens.refreshToken ?? tokens.accessToken;
    const hint = tokens.refreshToken ? 'refresh_token' : 'access_token';
    try {
      await revoke(this.#parts.http, authorizationServer, client, { token, hint });
    } catch (error) {
      this.#parts.log.info('The tokens of a cancelled sign-in could not be revoked.', {
        kind: error instanceof Failure ? error.kind : 'unknown',
      });
    }
  }
}

/** A promise that rejects with a `cancelled` failure once `signal` aborts; `stop` lets go of the signal. */
function whenAborted(signal: AbortSignal): { promise: Promise<never>; stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const abort = () => reject(new Failure('cancelled', { step: 'authorization', code: 'cancelled' }));
  if (signal.aborted) {
    abort();
  } else {
    signal.addEventListener('abort', abort, { once: true });
  }
  return { promise, stop: () => signal.removeEventListener('abort', abort) };
}
