import {
  type AuthenticationProvider,
  type AuthenticationProviderAuthenticationSessionsChangeEvent,
  type AuthenticationProviderSessionOptions,
  type AuthenticationSession,
  EventEmitter,
} from 'vscode';
import type { Accounts } from '../accounts/accounts.ts';
import type { Account, AccountsChange } from '../accounts/registry.ts';
import { errorInfo } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { SignInResult } from '../signIn/exchange.ts';
import { l10n } from './messages/l10n.ts';
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

/** How long `getSessions` waits for a renewal before it rejects as offline. */
const renewalWaitMs = 5_000;

export interface ProviderParts {
  /** Resolves to the accounts once they are loaded. All calls wait for the same load. */
  accounts: () => Promise<Accounts>;
  /**
   * Runs a sign-in with its user interface, for the account with this label if the consumer requested one.
   * @throws Error whose message may be shown to the user
   */
  signIn: (scopes: readonly string[], label: string | undefined) => Promise<SignInResult>;
  /** Warns the user that this account is signed out here although the server could not be told. */
  warnNotRevoked: (label: string) => void;
  /** The error that explains why these accounts, whose renewals failed with `errors`, have no session. */
  notRenewedError: (accounts: readonly Account[], errors: readonly unknown[]) => Promise<Error>;
  log: Log;
}

/** Presents the accounts to VS Code. Makes no decisions about them. */
export class NotionAuthenticationProvider implements AuthenticationProvider {
  readonly #parts: ProviderParts;
  readonly #changes = new EventEmitter<AuthenticationProviderAuthenticationSessionsChangeEvent>();
  /** Events held until the host's first call: registration is asynchronous, and earlier events would be lost. */
  #held: AuthenticationProviderAuthenticationSessionsChangeEvent[] | undefined = [];
  /** Ids of sessions that a warning has covered. One warning covers all sessions of an account. */
  readonly #warnedOf = new Set<string>();
  readonly onDidChangeSessions = this.#changes.event;

  constructor(parts: ProviderParts) {
    this.#parts = parts;
  }

  /** Notifies the editor of a change in the accounts. Called for every event of the accounts. */
  announce({ added, changed, removed }: AccountsChange): void {
    if (added.length + changed.length + removed.length === 0) {
      return;
    }
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
    const matching = accounts
      .list()
      .filter((account) => isListed(account) && matchesAccount(account.grant, options.account));
    if (scopes === undefined) {
      return matching.map((account) => sessionOf(account, [defaultScope]));
    }
    const usable = matching.filter((account) => isUsable(account) && matchesScopes(account.grant, scopes));
    const results = await Promise.allSettled(usable.map(({ grant }) => accounts.fresh(grant.id, renewalWaitMs)));
    const sessions = results.flatMap((result) =>
      result.status === 'fulfilled' ? [sessionOf({ grant: result.value, state: 'healthy' }, scopes)] : [],
    );
    const kept = usable.flatMap(({ grant }) => accounts.find(grant.id) ?? []).filter(isUsable);
    if (sessions.length === 0 && kept.length > 0) {
      // An empty list would mean "not signed in", and the consumer would request a sign-in that is not needed.
      const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      throw await this.#parts.notRenewedError(kept, errors);
    }
    return sessions;
  }

  async createSession(
    scopes: readonly string[],
    { account: wanted }: AuthenticationProviderSessionOptions = {},
  ): Promise<AuthenticationSession> {
    const accounts = await this.#loaded();
    // Only the label of an existing account is shown to the user, never one that the requesting extension made up.
    const requested = wanted && accounts.list().find((account) => matchesAccount(account.grant, wanted));
    const { grant } = await this.#parts.signIn(scopes, requested?.grant.label);
    const account = accounts.find(grant.id) ?? { grant, state: 'healthy' };
    // Storing the grant has already announced it, but perhaps not with exactly the scopes of this request.
    if (!isAnnounced(grant, scopes)) {
      this.#fire({ added: [sessionOf(account, scopes)], changed: [], removed: [] });
    }
    return sessionOf(account, scopes);
  }

  async removeSession(sessionId: string): Promise<void> {
    const accounts = await this.#loaded();
    const label = accounts.find(sessionId)?.grant.label;
    if (label === undefined) {
      return;
    }
    // The editor calls once for each session of an account, and knows an account by its label.
    const sessions = accounts.list().filter(({ grant }) => grant.label === label);
    try {
      if (!(await accounts.signOut(sessionId)) && !this.#warnedOf.has(sessionId)) {
        for (const { grant } of sessions) {
          this.#warnedOf.add(grant.id);
        }
        // The editor waits for this call, but not for the user.
        this.#parts.warnNotRevoked(label);
      }
    } catch (error) {
      // The editor shows the message of this error to the user.
      this.#parts.log.error('A sign-out failed unexpectedly.', errorInfo(error));
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
