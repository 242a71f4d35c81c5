import { CancellationError, env, type Uri } from 'vscode';
import { needsUser } from '../accounts/accountState.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { isSameAccount } from '../accounts/addAccount.ts';
import type { Account } from '../accounts/registry.ts';
import type { Clock } from '../core/clock.ts';
import { errorInfo } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { SignInHistory, SignInStep } from '../diagnostics/signInHistory.ts';
import type { Grant } from '../grants/grant.ts';
import { Failure } from '../oauth/errors.ts';
import type { SignInResult } from '../signIn/exchange.ts';
import type { SignIn } from '../signIn/signIn.ts';
import type { StepUps } from '../signIn/stepUps.ts';
import { canOpenChat, openChat } from './chat.ts';
import { configuredServer } from './configuredServer.ts';
import { confirmClient, confirmHosts } from './confirmSignIn.ts';
import type { Message } from './messages/actions.ts';
import { messageFor, unexpectedErrorMessage } from './messages/failure.ts';
import { l10n } from './messages/l10n.ts';
import { accountName } from './messages/names.ts';
import { showFailure, showNote, showWarning } from './messages/show.ts';
import { nextChannelLabel, openAgainLabel, signedInSentence, stageText } from './messages/signIn.ts';
import { ProgressLink, withLinks } from './progress.ts';
import { matchesScopes } from './sessions.ts';

export interface SignInFlowParts {
  signIn: SignIn;
  accounts: Accounts;
  stepUps: StepUps;
  history: SignInHistory;
  /** Whether this computer has agents, and none of them is connected yet. */
  hasUnusedAgents: () => Promise<boolean>;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

/** What a sign-in is for. Trying again after a failure repeats exactly this. */
interface Purpose {
  scopes: readonly string[];
  /** The account that is meant, as the progress names it. */
  label: string | undefined;
  /** Set after the authorization server refused the scopes that the account had or lacked: they are not requested. */
  withoutStepUp?: boolean;
  /** Set for a reconnect: the user is warned if another account signs in instead. */
  reconnects?: Account;
}

/** A sign-in in progress. */
interface Run {
  /** Grows from one sign-in of the window to the next. */
  number: number;
  /** The result of the later sign-in that ended this one. */
  endedBy?: SignInResult;
}

/** Runs sign-ins with their user interface: progress with Cancel, questions, and the result. */
export class SignInFlow {
  readonly #parts: SignInFlowParts;
  #begun = 0;
  /** Ends each sign-in that waits for the browser, by its number. */
  readonly #waiting = new Map<number, (finished: SignInResult) => void>();

  constructor(parts: SignInFlowParts) {
    this.#parts = parts;
  }

  /**
   * Signs in for a consumer that requested `scopes`, to the account with this label if it requested one.
   * @throws CancellationError if there is none in the end. The user knows why, and need not be told again.
   */
  async run(scopes: readonly string[], label?: string): Promise<SignInResult> {
    return this.#run({ scopes, label });
  }

  /** Signs an account in again. If the user signs in as someone else, that account is added, and a message says so. */
  async reconnect(account: Account): Promise<void> {
    const { askedScopes, label } = account.grant;
    // A failure has been shown already.
    await this.#run({ scopes: askedScopes, label, reconnects: account }).catch(() => undefined);
  }

  /** Like `reconnect`, but for a notification that may be outdated: says so if there is nothing left to do. */
  async reconnectIfNeeded(account: Account): Promise<void> {
    const now = this.#find(account.grant);
    if (now === undefined) {
      const sentence = l10n.t('{0} was signed out of Notion. Sign in again to use it.', accountName(account.grant));
      void showNote({ sentence, actions: ['signIn'] });
    } else if (this.#isOfUse(now)) {
      await this.reconnect(now);
    } else {
      const name = accountName(now.grant);
      const sentence = l10n.t('{0} is already signed in again. There is nothing left to do.', name);
      void showNote({ sentence, actions: ['manageAccounts'] });
    }
  }

  /** The account of this grant as it is now. Signing in again may have stored it under another id. */
  #find(grant: Grant): Account | undefined {
    const { accounts } = this.#parts;
    return accounts.find(grant.id) ?? accounts.list().find((account) => isSameAccount(account.grant, grant));
  }

  /** Whether a new sign-in is of use to the account. */
  #isOfUse({ grant: { id }, state }: Account): boolean {
    const { accounts, stepUps } = this.#parts;
    return needsUser(state) || state === 'readOnly' || accounts.trouble(id) === 'beingConfirmed' || stepUps.isOpen(id);
  }

  async #run(purpose: Purpose): Promise<SignInResult> {
    const log = this.#parts.log.operation('sign-in', this.#parts.randomness);
    log.info('A sign-in begins.', { scopes: purpose.scopes.length });
    this.#begun += 1;
    const run: Run = { number: this.#begun };
    try {
      const result = await this.#parts.history.record(log, (reached) =>
        this.#runWithProgress(purpose, run, log, reached),
      );
      log.info('Signed in.', { account: result.grant, reconnected: result.reconnected });
      void this.#reportSuccess(result, purpose.reconnects);
      return result;
    } catch (error) {
      if (run.endedBy === undefined) {
        throw this.#reportFailure(error, purpose, log);
      }
      log.info('The sign-in was ended, as a later one has finished.');
      if (isServedBy(purpose, run.endedBy)) {
        return run.endedBy;
      }
      throw new CancellationError();
    }
  }

  /** The scopes that the account of this purpose has, and those that it lacks. */
  #stepUpScopes({ label, reconnects, withoutStepUp }: Purpose): string[] | undefined {
    const { accounts, stepUps } = this.#parts;
    const account =
      reconnects === undefined
        ? accounts.list().find(({ grant }) => grant.label === label)
        : this.#find(reconnects.grant);
    return account === undefined || withoutStepUp ? undefined : stepUps.scopesFor(account.grant);
  }

  async #runWithProgress(
    purpose: Purpose,
    run: Run,
    log: Log,
    reached: (step: SignInStep) => void,
  ): Promise<SignInResult> {
    const { scopes, label } = purpose;
    const serverUrl = configuredServer();
    this.#parts.accounts.refuseIfStale();
    const stepUpScopes = this.#stepUpScopes(purpose);
    return withLinks(l10n.t('Notion'), async (report, signal) => {
      const { number } = run;
      const openAgain = new ProgressLink(`notionMcp.openAgain.${number}`, openAgainLabel());
      const tryNextChannel = new ProgressLink(`notionMcp.tryNextChannel.${number}`, nextChannelLabel());
      const ended = new AbortController();
      const end = (finished: SignInResult): void => {
        run.endedBy = finished;
        ended.abort();
      };
      try {
        const result = await this.#parts.signIn.run({
          serverUrl,
          scopes,
          ...(stepUpScopes && { stepUpScopes }),
          signal: AbortSignal.any([signal, ended.signal]),
          onChannel: reached,
          onStage: (stage, host, choices, refusal) => {
            reached(stage);
            if (choices === undefined) {
              this.#waiting.delete(number);
            } else {
              this.#waiting.set(number, end);
            }
            openAgain.action = choices?.openAgain;
            tryNextChannel.action = choices?.tryNextChannel;
            const account = label === undefined ? undefined : accountName({ label });
            const text = stageText(stage, host, { account, refusal });
            report(text, [openAgain, tryNextChannel]);
          },
          confirmHosts,
          confirmClient,
          log,
        });
        this.#parts.stepUps.signedIn(result.grant.id, stepUpScopes);
        this.#endOlder(number, result);
        return result;
      } finally {
        this.#waiting.delete(number);
        openAgain.dispose();
        tryNextChannel.dispose();
      }
    });
  }

  /** Ends the older sign-ins that still wait for the browser: the user has finished, on a page that was opened later. */
  #endOlder(number: number, finished: SignInResult): void {
    for (const [other, end] of this.#waiting) {
      if (other < number) {
        end(finished);
      }
    }
  }

  #reportSuccess(result: SignInResult, intended: Account | undefined): Promise<void> {
    return intended !== undefined && isKnownToDiffer(intended.grant, result.grant)
      ? this.#reportOtherAccount(result, intended)
      : this.#reportSignedIn(result);
  }

  /** Shows who signed in, as the browser may have been signed in to another Notion user. */
  async #reportSignedIn({ grant }: SignInResult): Promise<void> {
    const [hasChat, hasUnusedAgents] = await Promise.all([
      canOpenChat(),
      this.#parts.hasUnusedAgents().catch(() => false),
    ]);
    const actions = [
      ...(hasChat ? (['openChat'] as const) : []),
      ...(hasUnusedAgents ? (['connectAgent'] as const) : []),
    ];
    await showNote({ sentence: signedInSentence(grant), actions }, { openChat });
  }

  /** Warns that a reconnect has signed in an account other than `intended`. */
  async #reportOtherAccount({ grant }: SignInResult, intended: Account): Promise<void> {
    const sentence = l10n.t(
      'You signed in as {0}, not as {1}. To sign in as {1}, try again and choose it in the browser.',
      accountName(grant),
      accountName(intended.grant),
    );
    await showWarning(
      { sentence, actions: ['reconnect', 'manageAccounts'] },
      { reconnect: () => void this.reconnect(intended) },
    );
  }

  /**
   * Shows what went wrong. Returns what the caller is to throw: an error of another kind would be shown once more, by the
   * editor's Accounts menu or by the extension that requested the session.
   */
  #reportFailure(error: unknown, purpose: Purpose, log: Log): CancellationError {
    if (!(error instanceof Failure)) {
      log.error('The sign-in failed unexpectedly.', errorInfo(error));
      this.#show(unexpectedErrorMessage(), purpose);
      return new CancellationError();
    }
    const { step, code, status } = error.details;
    const message = messageFor(error);
    if (message === undefined) {
      log.info('The sign-in was cancelled.', { code });
      return new CancellationError();
    }
    log.warn('The sign-in failed.', { kind: error.kind, step, code, status });
    // The user's own decision is not an error.
    const isDecided = error.kind === 'cancelled' || error.kind === 'accessDenied';
    const next = code === 'invalid_scope' ? { ...purpose, withoutStepUp: true } : purpose;
    this.#show(message, next, isDecided ? showNote : showFailure);
    return new CancellationError();
  }

  #show(message: Message, purpose: Purpose, show = showFailure): void {
    const again = () => void this.#run(purpose).catch(() => undefined);
    void show(message, { tryAgain: again, signIn: again });
  }
}

/**
 * Opens the URL byte for byte. `openExternal(Uri)` re-encodes a URL that contains another URL and cuts `redirect_uri`
 * off at its first `&` (microsoft/vscode#85930); the editor passes a string on unchanged.
 */
export async function openBrowser(url: string): Promise<boolean> {
  return env.openExternal(url as unknown as Uri);
}

/** Whether two grants are of different accounts. Where an identity is unknown, they may be of the same. */
function isKnownToDiffer(one: Grant, other: Grant): boolean {
  return one.identity !== undefined && other.identity !== undefined && !isSameAccount(one, other);
}

/**
 * Whether the result of another sign-in serves this one. A caller that named no account gets none that the user chose
 * for something else.
 */
function isServedBy({ label, scopes }: Purpose, { grant }: SignInResult): boolean {
  return grant.label === label && matchesScopes(grant, scopes);
}
