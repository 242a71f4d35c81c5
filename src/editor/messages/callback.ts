import type { DisplayText } from '../../core/displayText.ts';
import type { FailureCode } from '../../oauth/errors.ts';
import type { Message } from './actions.ts';
import { l10n } from './l10n.ts';

/** For a callback that no sign-in of this window waits for. Another one may still be waiting for its own. */
export function callbackMessage(result: 'ended' | 'otherWindow', isAnotherWaiting: boolean): Message {
  if (result === 'otherWindow') {
    return {
      sentence: l10n.t(
        'The response from the browser belongs to a sign-in of another window, or from before a reload. Finish it there, or sign in here.',
      ),
      actions: ['signIn', 'showLog'],
    };
  }
  return isAnotherWaiting
    ? {
        sentence: l10n.t('That page belongs to an earlier attempt. Use the page that was opened last in your browser.'),
        actions: ['showLog'],
      }
    : {
        sentence: l10n.t('The browser’s response is for a sign-in that has already ended. To continue, sign in again.'),
        actions: ['signIn', 'showLog'],
      };
}

/** Explains why the response to an authorization request was refused. `host` is that of the authorization server. */
export function refusalSentence(code: FailureCode | undefined, host: DisplayText): DisplayText {
  switch (code) {
    case 'issuer_mismatch':
      return l10n.t(
        'The response from the browser came from another server than {0}, so it was not used. Try again.',
        host,
      );
    case 'issuer_missing':
      return l10n.t(
        'The response from the browser does not say that it came from {0}, so it was not used. Try again.',
        host,
      );
    case 'redirect_mismatch':
      return l10n.t(
        'The response from the browser came back to an address that belongs to another sign-in, so it was not used. Try again.',
      );
    default:
      return l10n.t('The response from the browser is incomplete or was altered, so it was not used. Try again.');
  }
}
