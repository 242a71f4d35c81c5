import { l10n, window } from 'vscode';
import type { Clock } from '../clock.ts';
import type { Accounts } from '../grants/accounts.ts';
import type { Grant } from '../grants/grant.ts';
import { type Log, traitsOf } from '../log.ts';
import { stoppedWaiting } from './patience.ts';
import { withProgress } from './progress.ts';
import { showFailure } from './showMessage.ts';

export interface EndSignInParts {
  accounts: Accounts;
  clock: Clock;
  log: Log;
}

/** Signs an account out and says how that ended. Never rejects. */
export async function endSignIn(parts: EndSignInParts, { id, label }: Pick<Grant, 'id' | 'label'>): Promise<void> {
  // Told from within: it may fail after the person has stopped waiting for it.
  const ended = await withProgress(parts.clock, l10n.t('Signing out of {0}…', label), () => signOut(parts, id, label));
  if (ended === stoppedWaiting) {
    void window.showInformationMessage(l10n.t('Signing out of {0} goes on in the background.', label));
  } else if (ended) {
    void window.showInformationMessage(l10n.t('Signed out of {0}.', label));
  }
}

async function signOut(parts: EndSignInParts, id: string, label: string): Promise<boolean> {
  try {
    await parts.accounts.signOut(id);
    return true;
  } catch (error) {
    parts.log.error('A sign-out failed in an unforeseen way.', { grant: id, ...traitsOf(error) });
    const sentence = l10n.t('{0} could not be signed out on this computer. Try again.', label);
    void showFailure(
      { sentence, remedies: ['tryAgain', 'showLog'] },
      { tryAgain: () => void endSignIn(parts, { id, label }) },
    );
    return false;
  }
}
