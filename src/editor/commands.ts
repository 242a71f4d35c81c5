import type { Extension } from 'vscode';
import { needsUser } from '../accounts/accountState.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../accounts/registry.ts';
import type { Consent } from '../agents/consent.ts';
import type { Agents } from '../agents/contract.ts';
import type { Clock } from '../core/clock.ts';
import { type DisplayText, display } from '../core/displayText.ts';
import type { Log } from '../core/log.ts';
import type { ConnectionReport } from '../diagnostics/connectionTest.ts';
import { Failure } from '../oauth/errors.ts';
import { stoppedWaiting } from './delayedProgress.ts';
import { describeAccount } from './messages/accountStatus.ts';
import type { Message } from './messages/actions.ts';
import { connectionLines, connectionMessage } from './messages/connection.ts';
import { aboutAccount, messageFor } from './messages/failure.ts';
import { l10n } from './messages/l10n.ts';
import { accountName } from './messages/names.ts';
import { pick } from './messages/quickPick.ts';
import { reportUnexpected, showFailure, showNote, showWarning } from './messages/show.ts';
import { withProgress } from './progress.ts';
import type { ReadOnlyDocuments } from './readOnlyDocuments.ts';
import type { SignInReminder } from './reminders.ts';
import { defaultScope } from './sessions.ts';
import type { SignInFlow } from './signInFlow.ts';
import { confirmAndSignOut } from './signOutCommand.ts';

export interface CommandParts {
  accounts: Accounts;
  signInFlow: SignInFlow;
  reminder: SignInReminder;
  /** Which agents may use which accounts; undefined on a host that no agent can reach. */
  consent: Consent | undefined;
  /** What serves agents; undefined as above. */
  agents: Agents | undefined;
  /** Checks every step of the connection to Notion's tools. */
  check: (account: Account, signal: AbortSignal) => Promise<ConnectionReport>;
  /** Collects the text of a diagnostics report. */
  diagnostics: (signal: AbortSignal) => Promise<string>;
  documents: ReadOnlyDocuments;
  extension: Extension<unknown>;
  clock: Clock;
  log: Log;
}

/** `Notion MCP: Sign In`: adds an account, outside the editor's queue of provider calls. */
export async function signIn({ signInFlow }: CommandParts): Promise<void> {
  try {
    await signInFlow.run([defaultScope]);
  } catch {
    // The flow has already shown the failure to the user.
  }
}

/** `Notion MCP: Sign Out`: revokes the account's grant at the authorization server and deletes it locally. */
export async function signOut(parts: CommandParts): Promise<void> {
  const account = await pickAccount(parts.accounts, l10n.t('Sign out of which account?'));
  if (account !== undefined) {
    await confirmAndSignOut(parts, account.grant);
  }
}

/** `Notion MCP: Refresh Session`: renews the account's tokens now. */
export async function refresh(parts: CommandParts): Promise<void> {
  const account = await pickAccount(parts.accounts, l10n.t('Refresh which account?'));
  if (account !== undefined) {
    await refreshAccount(parts, account);
  }
}

export async function refreshAccount(parts: CommandParts, account: Account): Promise<void> {
  const { accounts, reminder, clock, log, signInFlow } = parts;
  const { id } = account.grant;
  const name = accountName(account.grant);
  try {
    const refreshed = await withProgress(clock, l10n.t('Refreshing {0}…', name), () =>
      accounts.renew(id, { reason: 'asked' }),
    );
    // The renewal belongs to the window, not to this command: Cancel only stops waiting for it.
    const message: Message =
      refreshed === stoppedWaiting
        ? { sentence: l10n.t('Still refreshing {0} in the background.', name), actions: ['showLog'] }
        : { sentence: l10n.t('Refreshed {0}.', name), actions: [] };
    void showNote(message);
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    const { step, code, status } = error.details;
    log.warn('The Refresh Session command failed.', { account: { id }, kind: error.kind, step, code, status });
    if (error.kind !== 'transient' && isWaitingForUser(accounts, id)) {
      // An account that needed the user before gets its reminder again, because the user ran a command for it.
      reminder.remind(id, { again: needsUser(account.state) });
      return;
    }
    const message = messageFor(error);
    if (message !== undefined) {
      void showFailure(aboutAccount(name, message), {
        tryAgain: () => void reportUnexpected(log, () => refreshAccount(parts, account)),
        reconnect: () => void signInFlow.reconnectIfNeeded(account),
      });
    }
  }
}

/** `Notion MCP: Test Connection`: checks every step of the connection to Notion's tools and shows the result. */
export async function testConnection(parts: CommandParts): Promise<void> {
  const account = await pickAccount(parts.accounts, l10n.t('Test which account?'));
  if (account !== undefined) {
    await testAccount(parts, account);
  }
}

export async function testAccount(parts: CommandParts, account: Account): Promise<void> {
  const { accounts, reminder, clock, documents, log, signInFlow } = parts;
  const { id } = account.grant;
  const name = accountName(account.grant);
  const report = await withProgress(clock, l10n.t('Testing {0}…', name), (signal) => parts.check(account, signal));
  if (report === stoppedWaiting) {
    void showNote({ sentence: l10n.t('The test of {0} was stopped.', name), actions: [] });
    return;
  }
  const testedAtMs = clock.nowMs();
  const failed = report.checks.find(({ failure }) => failure !== undefined);
  if (failed?.failure !== undefined && failed.failure.kind !== 'transient' && isWaitingForUser(accounts, id)) {
    // The failed renewal has already triggered the reminder, unless the account needed the user before the test.
    reminder.remind(id, { again: needsUser(account.state) });
    return;
  }
  const reconnect = () => void signInFlow.reconnect(account);
  const show = failed === undefined ? showNote : showWarning;
  void show(connectionMessage(name, report), {
    tryAgain: () => void reportUnexpected(log, () => testAccount(parts, account)),
    signIn: reconnect,
    reconnect,
    showDetails: () =>
      void reportUnexpected(log, () =>
        documents.show(display`${l10n.t('Notion connection')}.txt`, connectionLines(name, report, testedAtMs)),
      ),
  });
}

function isWaitingForUser(accounts: Accounts, grantId: string): boolean {
  const account = accounts.find(grantId);
  return account !== undefined && needsUser(account.state);
}

/** Returns the only account, or the one that the user picks. Offers a sign-in if there is none. */
export async function pickAccount(
  accounts: Pick<Accounts, 'list' | 'trouble'>,
  title: DisplayText,
): Promise<Account | undefined> {
  const available = accounts.list().filter(({ state }) => state !== 'dormant');
  if (available.length === 0) {
    void showNote(
      accounts.list().length === 0
        ? { sentence: l10n.t('You are not signed in to Notion. Sign in first.'), actions: ['signIn'] }
        : {
            sentence: l10n.t(
              'Your accounts belong to a different server than the one in the settings. Sign in, or change the setting back.',
            ),
            actions: ['signIn', 'openSetting', 'manageAccounts'],
          },
    );
    return undefined;
  }
  if (available.length === 1) {
    return available[0];
  }
  const choices = available.map((account) => ({
    label: accountName(account.grant),
    detail: describeAccount(account, accounts.trouble(account.grant.id)),
    account,
  }));
  return (await pick(choices, { title, placeHolder: l10n.t('Choose an account') }))?.account;
}
