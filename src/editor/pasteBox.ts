import { InputBoxValidationSeverity, window } from 'vscode';
import type { DisplayText } from '../core/displayText.ts';
import type { PasteVerdict, PromptForPaste } from '../signIn/paste.ts';
import { l10n } from './messages/l10n.ts';

/** Prompts for the address on which the browser ended, until the user enters the right one or closes the input box. */
export const promptForPaste: PromptForPaste = (judge, signal) =>
  new Promise((resolve) => {
    const box = window.createInputBox();
    box.title = l10n.t('Notion: Paste the Address');
    box.prompt = l10n.t(
      'Allow access in the browser. An error page then appears, as expected: copy its address from the address bar and paste it here. Never share this address.',
    );
    box.placeholder = 'http://127.0.0.1:…/callback?code=…&state=…';
    box.ignoreFocusOut = true;
    let isDone = false;
    const finish = (result: boolean) => {
      isDone = true;
      signal.removeEventListener('abort', abort);
      box.dispose();
      resolve(result);
    };
    // The sign-in ended by other means; the user did not close the box.
    const abort = () => finish(true);
    box.onDidChangeValue(() => {
      box.validationMessage = undefined;
    });
    box.onDidAccept(async () => {
      box.busy = true;
      const verdict = await judge(box.value);
      box.busy = false;
      if (isDone) {
        return;
      }
      if (verdict === 'accepted' || verdict === 'declined') {
        finish(true);
      } else {
        box.validationMessage = { message: explain(verdict), severity: InputBoxValidationSeverity.Error };
      }
    });
    box.onDidHide(() => {
      if (!isDone) {
        finish(false);
      }
    });
    if (signal.aborted) {
      finish(true);
    } else {
      signal.addEventListener('abort', abort, { once: true });
      box.show();
    }
  });

function explain(verdict: Exclude<PasteVerdict, 'accepted' | 'declined'>): DisplayText {
  switch (verdict) {
    case 'unreadable':
      return l10n.t(
        'This is not the expected address. Allow access in the browser, then copy the address of the error page that appears: it begins with http://127.0.0.1 and contains “code” and “state”.',
      );
    case 'earlierPage':
      return l10n.t(
        'This is not the page on which the sign-in ends. Allow access in the browser, and wait until it has gone on to an address that begins with http://127.0.0.1. If it does not go on, choose “Open it again” in the notification, or use another browser.',
      );
    case 'ended':
    case 'repeated':
      return l10n.t('This address belongs to a sign-in that has ended. Use the page that was opened last.');
    case 'otherWindow':
    case 'foreign':
      return l10n.t('This address belongs to another sign-in. Use the page that was opened last.');
    case 'unsafe':
      return l10n.t('This address does not match this sign-in. Copy the complete address again, without changes.');
  }
}
