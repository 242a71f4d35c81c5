import {
  type AuthenticationProvider,
  type AuthenticationProviderAuthenticationSessionsChangeEvent,
  type AuthenticationProviderSessionOptions,
  type AuthenticationSession,
  EventEmitter,
  l10n,
} from 'vscode';
import type { Accounts } from '../accounts/accounts.ts';
import type { Account, AccountsChange } from '../accounts/registry.ts';
import { errorInfo } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { SignInResult } from '../signIn/exchange.ts';
import {
  announcedScopes,
  defaultScope,
  isAnnounced,
  isListed,
  isUsable,
  matchesAccount,
  matchesScopes,
  sessionOf,
} from './sessions.ts';

export const providerId = 'notion-mcp';

/** How long a consumer waits for a renewal before it hears "offline". */
const renewalWaitMs = 5_000;

export interface ProviderParts {
  /** The accounts, loaded: the promise of the one load that every call waits for. */
  accounts: () => Promise<Accounts>;
  /**
   * Runs a sign-in with everything the person sees, for the account of `label` if one was asked for. Rejects with a
   * sentence fit to be shown.
   */
  signIn: (scopes: readonly string[], label: string | undefined) => Promise<SignInResult>;
  log: Log;
}

/** What VS Code sees of the accounts. It decides nothing about them. */
export class NotionAuthenticationProvider implements AuthenticationProvider {
  readonly #parts: ProviderParts;
  readonly #changes = new EventEmitter<AuthenticationProviderAuthenticationSessionsChangeEvent>();
  /** Events fired before the host's first call are lost (the registration is asynchronous), so they wait for it. */
  #held: AuthenticationProviderAuthenticationSessionsChangeEvent[] | undefined = [];
  readonly onDidChangeSessions = this.#changes.event;

  constructor(parts: ProviderParts) {
    this.#parts = parts;
  }

  /** Tells the editor of a change in the accounts; wired to the accounts' one event. */
  announce({ added, changed, removed }: AccountsChange): void {
    this.#fire({
      added: added.flatMap((account) => announcedScopes(account.grant).map((scopes) => sessionOf(account, scopes))),
      changed: changed.map((account) => sessionOf(account, [defaultScope])),
      removed: removed.map((account) => sessionOf(account, [defaultScope])),
    });
  }

  async getSessions(
    scopes: readonly string[] | undefined,
    options: AuthenticationProviderSessionOptions,
  ): Promise<AuthenticationSession[]> {
    const accounts = await this.#loaded();
    const wanted = accounts
      .list()
      .filter((account) => isListed(account) && matchesAccount(account.grant, options.account));
    if (scopes === undefined) {
      return wanted.map((account) => sessionOf(account, [defaultScope]));
    }
    const usable = wanted.filter((account) => isUsable(account) && matchesScopes(account.grant, scopes));
    const answers = await Promise.allSettled(usable.map(({ grant }) => accounts.fresh(grant.id, renewalWaitMs)));
    const sessions = answers.flatMap((answer) =>
      answer.status === 'fulfilled' ? [sessionOf({ grant: answer.value, state: 'healthy' }, scopes)] : [],
    );
    if (sessions.length === 0 && usable.some(({ grant }) => isStillUsable(accounts.find(grant.id)))) {
      // "Nobody is signed in" would make the consumer ask the person for a sign-in that is not needed.
      throw new Error(
        l10n.t(
          'The sign-in to Notion could not be renewed just now. It is kept: check your network, and try again in a moment.',
        ),
      );
    }
    return sessions;
  }

  async createSession(
    scopes: readonly string[],
    { account: wanted }: AuthenticationProviderSessionOptions = {},
  ): Promise<AuthenticationSession> {
    const accounts = await this.#loaded();
    // An account of ours: whatever else an extension names does not get before the person's eyes.
    const meant = wanted && accounts.list().find((account) => matchesAccount(account.grant, wanted));
    const { grant } = await this.#parts.signIn(scopes, meant?.grant.label);
    const account = accounts.find(grant.id) ?? { grant, state: 'healthy' };
    // Storing the grant announced it already; only a request whose exact list was not among those is still open.
    if (!isAnnounced(grant, scopes)) {
      this.#fire({ added: [sessionOf(account, scopes)], changed: [], removed: [] });
    }
    return sessionOf(account, scopes);
  }

  async removeSession(sessionId: string): Promise<void> {
    const accounts = await this.#loaded();
    try {
      await accounts.signOut(sessionId);
    } catch (error) {
      // The editor shows what is thrown here to the person.
      this.#parts.log.error('A sign-out failed in an unforeseen way.', errorInfo(error));
      throw new Error(l10n.t('The account could not be signed out on this computer. Try again.'));
    }
  }

  dispose(): void {
    this.#changes.dispose();
  }

  async #loaded(): Promise<Accounts> {
    const accounts = await this.#parts.accounts();
    const held = this.#held;
    this.#held = undefined;
    for (const event of held ?? []) {
      this.#changes.fire(event);
    }
    return accounts;
  }

  #fire(event: AuthenticationProviderAuthenticationSessionsChangeEvent): void {
    this.#parts.log.debug('Sessions changed.', {
      added: event.added?.length,
      changed: event.changed?.length,
      removed: event.removed?.length,
    });
    if (this.#held === undefined) {
      this.#changes.fire(event);
    } else {
      this.#held.push(event);
    }
  }
}

/** After a failed renewal: not if that failure ended the sign-in. */
function isStillUsable(account: Account | undefined): boolean {
  return account !== undefined && isUsable(account);
}
