import { type Extension, env, l10n, ProgressLocation, type QuickPickItem, window } from 'vscode';
import type { Clock } from '../clock.ts';
import type { Account, Accounts } from '../grants/accounts.ts';
import type { Log } from '../log.ts';
import { Failure } from '../oauth/failure.ts';
import type { Attention } from './attention.ts';
import type { ConnectionReport } from './connectionReport.ts';
import { connectionSentence, connectionText } from './connectionText.ts';
import { diagnostics } from './diagnostics.ts';
import { messageFor } from './messages.ts';
import type { ReadOnlyDocuments } from './readOnlyDocuments.ts';
import { defaultScope } from './sessions.ts';
import { showFailure, showNote } from './showMessage.ts';
import type { SignInFlow } from './signInFlow.ts';

export interface CommandParts {
  accounts: Accounts;
  signInFlow: SignInFlow;
  attention: Attention;
  /** Walks the chain from here to Notion's tools. */
  check: (account: Account, signal?: AbortSignal) => Promise<ConnectionReport>;
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
    await signOutAccount(parts, account);
  }
}

/** Asks first: what uses the account stops working. */
export async function signOutAccount({ accounts, log }: CommandParts, { grant }: Account): Promise<void> {
  const { id, label } = grant;
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
  const account = await pickAccount(parts.accounts, l10n.t('Refresh which account?'));
  if (account !== undefined) {
    await refreshAccount(parts, account);
  }
}

export async function refreshAccount(parts: CommandParts, account: Account): Promise<void> {
  const { accounts, attention, log } = parts;
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
    if (error.kind === 'signInAgain' || error.kind === 'registrationGone') {
      // Said again to somebody who asks again.
      attention.tell(id, { again: account.state === 'needsSignIn' });
      return;
    }
    const message = messageFor(error);
    if (message !== undefined) {
      void showFailure(message, { tryAgain: () => void refreshAccount(parts, account) });
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
  const { label } = account.grant;
  const report = await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('Testing {0}…', label), cancellable: true },
    (_, token) => {
      const cancel = new AbortController();
      token.onCancellationRequested(() => cancel.abort());
      return parts.check(account, cancel.signal);
    },
  );
  const { checks } = report;
  const failed = checks.find(({ failure }) => failure !== undefined);
  parts.log.info('The connection was tested.', { failed: failed?.name, kind: failed?.failure?.kind });
  const show = failed === undefined ? window.showInformationMessage : window.showWarningMessage;
  const details = l10n.t('Show Details');
  void show(connectionSentence(label, report), details).then(async (picked) => {
    if (picked === details) {
      await parts.documents.show(`${l10n.t('Notion connection')}.txt`, connectionText(label, report));
    }
  });
}

/** `Notion MCP: Copy Diagnostics`: what an issue needs, without a secret and without a name. */
export async function copyDiagnostics(parts: CommandParts): Promise<void> {
  const text = await window.withProgress(
    { location: ProgressLocation.Notification, title: l10n.t('Collecting diagnostics…') },
    () => diagnostics({ ...parts, check: (account) => parts.check(account) }),
  );
  await env.clipboard.writeText(text);
  // Without a button the editor shows one line of it.
  void window.showInformationMessage(l10n.t('Diagnostics copied. They hold no secret and no name.'));
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
  return (await window.showQuickPick(items, { title, placeHolder: l10n.t('Choose an account') }))?.account;
}

function withProgress<T>(title: string, task: () => Promise<T>): Promise<T> {
  return Promise.resolve(window.withProgress({ location: ProgressLocation.Notification, title }, task));
}
