import { env, l10n } from 'vscode';
import type { Account } from '../grants/accounts.ts';
import type { NeedsSignInReason } from '../grants/grant.ts';
import { asksAgainAtMs } from './asksAgain.ts';

/** How an account stands, for its person. `isOffline`: its last renewal failed for a reason that passes. */
export function accountInWords({ grant, state }: Account, isOffline: boolean): string {
  switch (state) {
    case 'needsSignIn':
      return l10n.t({
        message: 'needs sign-in: {0}',
        comment: ['State of an account. {0} is the reason, such as “Notion ended it”.'],
        args: [reasonInWords(grant.needsSignIn?.reason)],
      });
    case 'dormant':
      return l10n.t({
        message: 'belongs to {0}, which is not the server in the settings',
        comment: ['State of an account. {0} is the name of a server.'],
        args: [new URL(grant.serverUrl).host],
      });
    case 'readOnly':
      return l10n.t({ message: 'reload this window to use it', comment: ['State of an account.'] });
    default:
      return isOffline
        ? l10n.t({
            message: 'offline; the sign-in is kept and renews when the network is back',
            comment: ['State of an account.'],
          })
        : l10n.t({
            message: 'signed in, renews by itself; next sign-in due by {0}',
            comment: ['State of an account. {0} is a day, such as May 12.'],
            args: [dayInWords(asksAgainAtMs(grant))],
          });
  }
}

function reasonInWords(reason: NeedsSignInReason | undefined): string {
  switch (reason) {
    case 'tooOld':
      return l10n.t('Notion ended it after 180 days');
    case 'idle':
      return l10n.t('Notion ended it after 30 days without use');
    case 'registrationGone':
      return l10n.t('Notion no longer knows this editor');
    case 'noRefreshToken':
      return l10n.t('Notion gave no way to renew it');
    default:
      return l10n.t({ message: 'Notion ended it', comment: ['“it” is the sign-in of an account.'] });
  }
}

function dayInWords(atMs: number): string {
  return new Date(atMs).toLocaleDateString(env.language, { day: 'numeric', month: 'long' });
}
