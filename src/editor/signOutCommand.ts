import type { Accounts } from '../accounts/accounts.ts';
import type { Clock } from '../core/clock.ts';
import { errorInfo } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Grant } from '../grants/grant.ts';
import { stoppedWaiting } from './delayedProgress.ts';
import { l10n } from './messages/l10n.ts';
import { accountName } from './messages/names.ts';
import { confirm, showFailure, showNote, showWarning } from './messages/show.ts';
import { withProgress } from './progress.ts';

export interface SignOutCommandParts {
  accounts: Accounts;
  clock: Clock;
  log: Log;
}

/** Signs an account out after the user has confirmed, because everything that uses the account stops working. */
export async function confirmAndSignOut(parts: SignOutCommandParts, grant: Pick<Grant, 'id' | 'label'>): Promise<void> {
  const isConfirmed = await confirm(
    l10n.t('Sign out of {0}?', accountName(grant)),
    l10n.t('Extensions, chat and agents can no longer use this account until you sign in again.'),
    l10n.t('Sign Out'),
    l10n.t('Stay Signed In'),
  );
  if (isConfirmed) {
    await signOutAndReport(parts, grant);
  }
}

/** Signs an account out and shows the result. Never rejects. */
export async function signOutAndReport(parts: SignOutCommandParts, grant: Pick<Grant, 'id' | 'label'>): Promise<void> {
  const name = accountName(grant);
  // `signOut` shows its own failure, because it may fail after the user has stopped waiting for it.
  const result = await withProgress(parts.clock, l10n.t('Signing out of {0}…', name), () => signOut(parts, grant));
  if (result === stoppedWaiting) {
    void showNote({ sentence: l10n.t('Still signing out of {0} in the background.', name), actions: ['showLog'] });
  } else if (result === 'everywhere') {
    void showNote({ sentence: l10n.t('Signed out of {0}.', name), actions: [] });
  } else if (result === 'here') {
    warnNotRevoked(grant.label);
  }
}

/** Warns that an account is signed out here although the server could not be told. */
export function warnNotRevoked(label: string): void {
  const sentence = l10n.t(
    'Signed out of {0} on this computer, but the server could not be reached to revoke access. Remove it in Notion’s settings.',
    accountName({ label }),
  );
  void showWarning({ sentence, actions: ['showLog'] });
}

async function signOut(
  parts: SignOutCommandParts,
  grant: Pick<Grant, 'id' | 'label'>,
): Promise<'everywhere' | 'here' | 'not'> {
  try {
    return (await parts.accounts.signOut(grant.id)) ? 'everywhere' : 'here';
  } catch (error) {
    parts.log.error('A sign-out failed unexpectedly.', { account: grant, ...errorInfo(error) });
    const sentence = l10n.t('{0} could not be signed out on this computer. Try again.', accountName(grant));
    void showFailure(
      { sentence, actions: ['tryAgain', 'showLog'] },
      { tryAgain: () => void signOutAndReport(parts, grant) },
    );
    return 'not';
  }
}
