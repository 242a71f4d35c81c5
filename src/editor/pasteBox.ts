import { InputBoxValidationSeverity, l10n, window } from 'vscode';
import type { PasteVerdict, PromptForPaste } from '../signIn/paste.ts';

/** Asks the person for the address that the browser ended on, until it is the right one or they close the input. */
export const promptForPaste: PromptForPaste = (judge, signal) =>
  new Promise((resolve) => {
    const box = window.createInputBox();
    box.title = l10n.t('Notion: Paste the Address');
    box.prompt = l10n.t(
      'Allow access in the browser. It then ends on an error page, as it should: copy that page’s address from the address bar and paste it here. Never send it to anybody.',
    );
    box.placeholder = 'http://127.0.0.1:…/callback?code=…&state=…';
    box.ignoreFocusOut = true;
    let done = false;
    const finish = (result: boolean) => {
      done = true;
      signal.removeEventListener('abort', abort);
      box.dispose();
      resolve(result);
    };
    // The sign-in ended in another way; nobody gave up.
    const abort = () => finish(true);
    box.onDidChangeValue(() => {
      box.validationMessage = undefined;
    });
    box.onDidAccept(async () => {
      box.busy = true;
      const verdict = await judge(box.value);
      box.busy = false;
      if (done) {
        return;
      }
      if (verdict === 'accepted' || verdict === 'declined') {
        finish(true);
      } else {
        box.validationMessage = { message: explanation(verdict), severity: InputBoxValidationSeverity.Error };
      }
    });
    box.onDidHide(() => {
      if (!done) {
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

function explanation(verdict: Exclude<PasteVerdict, 'accepted' | 'declined'>): string {
  switch (verdict) {
    case 'unreadable':
      return l10n.t(
        'This is not that address. Allow access in the browser, then copy the address of the error page on which it ends: it begins with http://127.0.0.1 and holds “code” and “state”.',
      );
    case 'ended':
      return l10n.t('This address belongs to a sign-in that has ended. Use the page that was opened last.');
    case 'foreign':
      return l10n.t('This address belongs to another sign-in. Use the page that was opened last.');
    case 'unsafe':
      return l10n.t('This address does not fit this sign-in. Copy it once more, whole and unchanged.');
  }
}
