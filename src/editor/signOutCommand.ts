import { l10n, window } from 'vscode';
import type { Accounts } from '../accounts/accounts.ts';
import type { Clock } from '../core/clock.ts';
import { errorInfo } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Grant } from '../grants/grant.ts';
import { stoppedWaiting } from './delayedProgress.ts';
import { showFailure, showWarning } from './messages/show.ts';
import { withProgress } from './progress.ts';

export interface SignOutCommandParts {
  accounts: Accounts;
  clock: Clock;
  log: Log;
}

/** Signs an account out after the user has confirmed, because everything that uses the account stops working. */
export async function confirmAndSignOut(parts: SignOutCommandParts, grant: Pick<Grant, 'id' | 'label'>): Promise<void> {
  const confirmed = l10n.t('Sign Out');
  const choice = await window.showWarningMessage(
    l10n.t('Sign out of {0}?', grant.label),
    { modal: true, detail: l10n.t('Extensions and chat can no longer use this account until you sign in again.') },
    confirmed,
  );
  if (choice === confirmed) {
    await signOutAndReport(parts, grant);
  }
}

/** Signs an account out and shows the result. Never rejects. */
export async function signOutAndReport(
  parts: SignOutCommandParts,
  { id, label }: Pick<Grant, 'id' | 'label'>,
): Promise<void> {
  // `signOut` shows its own failure, because it may fail after the user has stopped waiting for it.
  const result = await withProgress(parts.clock, l10n.t('Signing out of {0}…', label), () => signOut(parts, id, label));
  if (result === stoppedWaiting) {
    void window.showInformationMessage(l10n.t('Signing out of {0} goes on in the background.', label));
  } else if (result === 'everywhere') {
    void window.showInformationMessage(l10n.t('Signed out of {0}.', label));
  } else if (result === 'here') {
    warnNotRevoked(label);
  }
}

/** Warns that an account is signed out here although the server could not be told. */
export function warnNotRevoked(label: string): void {
  const sentence = l10n.t(
    'Signed out of {0} on this computer, but the server could not be told. Remove the access in Notion’s settings.',
    label,
  );
  void showWarning({ sentence, actions: ['showLog'] });
}

async function signOut(parts: SignOutCommandParts, id: string, label: string): Promise<'everywhere' | 'here' | 'not'> {
  try {
    return (await parts.accounts.signOut(id)) ? 'everywhere' : 'here';
  } catch (error) {
    parts.log.error('A sign-out failed unexpectedly.', { grant: id, ...errorInfo(error) });
    const sentence = l10n.t('{0} could not be signed out on this computer. Try again.', label);
    void showFailure(
      { sentence, actions: ['tryAgain', 'showLog'] },
      { tryAgain: () => void signOutAndReport(parts, { id, label }) },
    );
    return 'not';
  }
}
