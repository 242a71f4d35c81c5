import { l10n, ProgressLocation, type QuickPickItem, window } from 'vscode';
import type { Account, Accounts } from '../grants/accounts.ts';
import type { Log } from '../log.ts';
import { Failure } from '../oauth/failure.ts';
import { messageFor } from './messages.ts';
import { defaultScope } from './sessions.ts';
import { showFailure, showNote } from './showMessage.ts';
import type { SignInFlow } from './signInFlow.ts';

export interface CommandParts {
  accounts: Accounts;
  signInFlow: SignInFlow;
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
export async function signOut({ accounts, log }: CommandParts): Promise<void> {
  const account = await pickAccount(accounts, l10n.t('Sign out of which account?'));
  if (account === undefined) {
    return;
  }
  const { id, label } = account.grant;
  const confirmed = l10n.t('Sign Out');
  const answer = await window.showWarningMessage(
    l10n.t('Sign out of {0}?', label),
    { modal: true, detail: l10n.t('Extensions and chat can no longer use this account until you sign in again.') },
    confirmed,
  );
  if (answer === confirmed) {
    await withProgress(l10n.t('Signing out of {0}…', label), () => accounts.signOut(id));
    log.info('Signed out by command.', { grant: id });
    void window.showInformationMessage(l10n.t('Signed out of {0}.', label));
  }
}

/** `Notion MCP: Refresh Session`: gets new tokens now. */
export async function refresh(parts: CommandParts): Promise<void> {
  const { accounts, log } = parts;
  const account = await pickAccount(accounts, l10n.t('Refresh which account?'));
  if (account === undefined) {
    return;
  }
  const { id, label } = account.grant;
  try {
    await withProgress(l10n.t('Refreshing {0}…', label), () => accounts.renew(id, { reason: 'asked' }));
    void window.showInformationMessage(l10n.t('Refreshed {0}.', label));
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    const { step, code, status } = error.details;
    log.warn('A refresh by command failed.', { kind: error.kind, step, code, status });
    const message = messageFor(error);
    if (message !== undefined) {
      void showFailure(message, { tryAgain: () => void refresh(parts), signIn: () => void signIn(parts) });
    }
  }
}

/** The one account there is, or the one that the person picks; none there offers a sign-in. */
async function pickAccount(accounts: Accounts, title: string): Promise<Account | undefined> {
  const all = accounts.list().filter(({ state }) => state !== 'dormant');
  if (all.length === 0) {
    void showNote({ sentence: l10n.t('Nobody is signed in to Notion. Sign in first.'), remedies: ['signIn'] });
    return undefined;
  }
  if (all.length === 1) {
    return all[0];
  }
  const items: (QuickPickItem & { account: Account })[] = all.map((account) => ({
    label: account.grant.label,
    account,
  }));
  return (await window.showQuickPick(items, { title, placeHolder: title }))?.account;
}

function withProgress<T>(title: string, task: () => Promise<T>): Promise<T> {
  return Promise.resolve(window.withProgress({ location: ProgressLocation.Notification, title }, task));
}
