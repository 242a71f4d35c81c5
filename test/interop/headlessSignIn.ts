import type { Accounts } from '../../src/accounts/accounts.ts';
import { systemClock as clock } from '../../src/core/clock.ts';
import type { Log } from '../../src/core/log.ts';
import { systemRandomness as randomness } from '../../src/core/random.ts';
import type { Http } from '../../src/http/client.ts';
import { Failure } from '../../src/oauth/errors.ts';
import type { ConfiguredClient } from '../../src/oauth/registration.ts';
import type { OpenChannel } from '../../src/signIn/channel.ts';
import type { SignInResult } from '../../src/signIn/exchange.ts';
import { PendingSignIns } from '../../src/signIn/pending.ts';
import { SignIn } from '../../src/signIn/signIn.ts';
import { browse } from './browser.ts';

export interface HeadlessSignInParts {
  http: Http;
  accounts: Pick<Accounts, 'list' | 'storeSignIn'>;
  serverUrl: URL;
  redirectUri: string;
  client?: ConfiguredClient | undefined;
  log: Log;
}

/** The extension's sign-in without an editor. The browser and its user are played: they allow everything. */
export class HeadlessSignIn {
  readonly #parts: HeadlessSignInParts;
  readonly #signIn: SignIn;

  constructor(parts: HeadlessSignInParts) {
    const { redirectUri, client, serverUrl, log } = parts;
    const browser = new HeadlessBrowser(redirectUri);
    this.#parts = parts;
    this.#signIn = new SignIn({
      ...parts,
      pending: new PendingSignIns(log),
      channels: () => ['loopback'],
      openChannel: async () => browser.channel,
      configuredClient: () => client,
      clientIssuers: new Map(),
      openBrowser: async (url) => browser.open(url),
      defaultServerUrl: serverUrl.href,
      clientName: 'Notion MCP Authentication',
      clock,
      randomness,
    });
  }

  /** Signs in, or signs in again for scopes that the MCP server demanded. @throws Failure */
  run(stepUpScopes?: readonly string[]): Promise<SignInResult> {
    const { serverUrl, log } = this.#parts;
    return this.#signIn.run({
      serverUrl,
      scopes: ['default'],
      ...(stepUpScopes && { stepUpScopes }),
      signal: new AbortController().signal,
      onStage: () => undefined,
      confirmHosts: async () => true,
      confirmClient: async () => true,
      log,
    });
  }
}

/** Follows the redirects of the consent page to the redirect URI, where nothing listens, and delivers that URL. */
class HeadlessBrowser {
  readonly channel: OpenChannel;
  #callback: Promise<URL> | undefined;
  readonly #redirectUri: string;

  constructor(redirectUri: string) {
    this.#redirectUri = redirectUri;
    this.channel = {
      name: 'loopback',
      redirectUri,
      collect: async (receive) => {
        const url = await this.#callback;
        const result = await receive(url?.search.slice(1) ?? '');
        if (result !== 'accepted' && result !== 'declined') {
          // The user, who waits in vain, gives up.
          throw new Failure('cancelled', { step: 'authorization', code: 'cancelled' });
        }
      },
      close: () => undefined,
    };
  }

  open(url: string): boolean {
    this.#callback = browse(url, this.#redirectUri);
    this.#callback.catch(() => undefined);
    return true;
  }
}
