import { type Extension, env, l10n, type QuickPickItem, window } from 'vscode';
import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../accounts/registry.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { ConnectionReport } from '../diagnostics/connectionTest.ts';
import { Failure } from '../oauth/errors.ts';
import { endsGrant } from '../renewal/revokedGrant.ts';
import { stoppedWaiting } from './delayedProgress.ts';
import { describeAccount } from './messages/accountStatus.ts';
import { connectionMessage, connectionText } from './messages/connection.ts';
import { aboutAccount, messageFor } from './messages/failure.ts';
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
  /** Walks the chain from here to Notion's tools. */
  check: (account: Account, signal: AbortSignal) => Promise<ConnectionReport>;
  /** What an issue needs. */
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
    // The flow has already told the person.
  }
}

/** `Notion MCP: Sign Out`: revokes the account's grant at the server and forgets it here. */
export async function signOut(parts: CommandParts): Promise<void> {
  const account = await pickAccount(parts.accounts, l10n.t('Sign out of which account?'));
  if (account !== undefined) {
    await confirmAndSignOut(parts, account.grant);
  }
}

/** `Notion MCP: Refresh Session`: gets new tokens now. */
export async function refresh(parts: CommandParts): Promise<void> {
  const account = await pickAccount(parts.accounts, l10n.t('Refresh which account?'));
  if (account !== undefined) {
    await refreshAccount(parts, account);
  }
}

export async function refreshAccount(parts: CommandParts, account: Account): Promise<void> {
  const { accounts, reminder, clock, log, signInFlow } = parts;
  const { id, label } = account.grant;
  try {
    const refreshed = await withProgress(clock, l10n.t('Refreshing {0}…', label), () =>
      accounts.renew(id, { reason: 'asked' }),
    );
    // The renewal is the window's, not of whoever asked for it: Cancel ends only the waiting.
    void window.showInformationMessage(
      refreshed === stoppedWaiting
        ? l10n.t('Refreshing {0} goes on in the background.', label)
        : l10n.t('Refreshed {0}.', label),
    );
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    const { step, code, status } = error.details;
    log.warn('A refresh by command failed.', { grant: id, kind: error.kind, step, code, status });
    if (accounts.find(id) !== undefined && endsGrant(error)) {
      // Said again to somebody who asks again.
      reminder.remind(id, { again: account.state === 'needsSignIn' });
      return;
    }
    const message = messageFor(error);
    if (message !== undefined) {
      void showFailure(aboutAccount(label, message), {
        tryAgain: () => void reportUnexpected(log, () => refreshAccount(parts, account)),
        reconnect: () => void signInFlow.reconnectIfNeeded(account),
      });
    }
  }
}

/** `Notion MCP: Test Connection`: walks the chain from here to Notion's tools and shows each link. */
export async function testConnection(parts: CommandParts): Promise<void> {
  const account = await pickAccount(parts.accounts, l10n.t('Test which account?'));
  if (account !== undefined) {
    await testAccount(parts, account);
  }
}

export async function testAccount(parts: CommandParts, account: Account): Promise<void> {
  const { accounts, reminder, clock, documents, log, signInFlow } = parts;
  const { id, label } = account.grant;
  const report = await withProgress(clock, l10n.t('Testing {0}…', label), (signal) => parts.check(account, signal));
  if (report === stoppedWaiting) {
    void window.showInformationMessage(l10n.t('The test of {0} was stopped.', label));
    return;
  }
  const testedAtMs = clock.nowMs();
  const failed = report.checks.find(({ failure }) => failure !== undefined);
  log.info('The connection was tested.', { failed: failed?.name, kind: failed?.failure?.kind });
  if (failed?.failure !== undefined && endsGrant(failed.failure) && accounts.find(id)?.state === 'needsSignIn') {
    // What the test found has been told already, unless that was before it.
    reminder.remind(id, { again: account.state === 'needsSignIn' });
    return;
  }
  const reconnect = () => void signInFlow.reconnect(account);
  const show = failed === undefined ? showNote : showWarning;
  void show(connectionMessage(label, report), {
    tryAgain: () => void reportUnexpected(log, () => testAccount(parts, account)),
    signIn: reconnect,
    reconnect,
    showDetails: () =>
      void reportUnexpected(log, () =>
        documents.show(`${l10n.t('Notion connection')}.txt`, connectionText(label, report, testedAtMs)),
      ),
  });
}

/** `Notion MCP: Copy Diagnostics`: what an issue needs, without a secret and without a name. */
export async function copyDiagnostics({ clock, diagnostics, documents, log }: CommandParts): Promise<void> {
  const text = await withProgress(clock, l10n.t('Collecting diagnostics…'), diagnostics);
  if (text === stoppedWaiting) {
    void window.showInformationMessage(l10n.t('The diagnostics were not copied.'));
    return;
  }
  await env.clipboard.writeText(text);
  log.info('Diagnostics were copied.');
  const sentence = l10n.t('Diagnostics copied. They contain no secrets or names: paste them into an issue.');
  void showNote(
    { sentence, actions: ['showDetails'] },
    {
      showDetails: () => void reportUnexpected(log, () => documents.show(`${l10n.t('Notion diagnostics')}.txt`, text)),
    },
  );
}

/** The one account there is, or the one that the person picks; none there offers a sign-in. */
async function pickAccount(accounts: Accounts, title: string): Promise<Account | undefined> {
  const all = accounts.list().filter(({ state }) => state !== 'dormant');
  if (all.length === 0) {
    void showNote(
      accounts.list().length === 0
        ? { sentence: l10n.t('You are not signed in to Notion. Sign in first.'), actions: ['signIn'] }
        : {
            sentence: l10n.t(
              'Your accounts belong to another server than the one in the settings. Sign in, or change the setting back.',
            ),
            actions: ['signIn', 'openSetting', 'manageAccounts'],
          },
    );
    return undefined;
  }
  if (all.length === 1) {
    return all[0];
  }
  const items: (QuickPickItem & { account: Account })[] = all.map((account) => ({
    label: account.grant.label,
    detail: describeAccount(account, accounts.trouble(account.grant.id)),
    account,
  }));
  return (await window.showQuickPick(items, { title, placeHolder: l10n.t('Choose an account') }))?.account;
}
