import { env, l10n } from 'vscode';
import type { LastPageWords } from '../signIn/completionPage.ts';

/** The words of the page that people see last. */
export function lastPageWords(outcome: 'allowed' | 'declined'): LastPageWords {
  return outcome === 'allowed'
    ? {
        language: env.language,
        title: l10n.t('Access allowed'),
        sentence: l10n.t('You can close this page and return to your editor, where the sign-in is being finished.'),
      }
    : {
        language: env.language,
        title: l10n.t('Access was not allowed'),
        sentence: l10n.t('Nothing has changed. Close this page and return to your editor to try again.'),
      };
}
