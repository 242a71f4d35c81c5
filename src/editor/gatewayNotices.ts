import { l10n } from 'vscode';
import type { Accounts } from '../accounts/accounts.ts';
import type { GatewayNotices } from '../mcp/notices.ts';
import { showWarning } from './messages/show.ts';
import type { Attention } from './reminders.ts';

/** What the person hears while a chat or an agent only gets an error. */
export function gatewayNotices(accounts: Accounts, attention: Attention): GatewayNotices {
  return {
    signInNeeded: (grantId) => attention.tell(grantId),
    scopeMissing: (grantId, scopes) => {
      const label = accounts.find(grantId)?.grant.label ?? '';
      const sentence =
        scopes.length === 0
          ? l10n.t('A tool needs more access than {0} has. Sign in again to allow it.', label)
          : l10n.t('A tool needs more access ({0}) than {1} has. Sign in again to allow it.', scopes.join(', '), label);
      void showWarning({ sentence, remedies: ['signIn', 'showLog'] });
    },
  };
}
