import type { RenewalProblem } from '../../accounts/accountState.ts';
import type { Account } from '../../accounts/registry.ts';
import type { DisplayText } from '../../core/displayText.ts';
import type { Grant, NeedsSignInReason } from '../../grants/grant.ts';
import { signInDeadline } from '../../grants/tokenLife.ts';
import { l10n } from './l10n.ts';
import { codeName, hostOf, timeText } from './names.ts';

/** Describes the state of an account to the user. `problem` is what currently prevents its renewal. */
export function describeAccount({ grant, state, why }: Account, problem: RenewalProblem | undefined): DisplayText {
  switch (state) {
    case 'needsSignIn':
      return l10n.t({
        message: 'needs sign-in: {0}',
        comment: ['State of an account. {0} is the reason, such as “Notion ended it”.'],
        args: [describeReason(grant.needsSignIn?.reason)],
      });
    case 'dormant':
      return l10n.t({
        message: 'belongs to {0}, which is not the server in the settings',
        comment: ['State of an account. {0} is the name of a server.'],
        args: [hostOf(grant.serverUrl)],
      });
    case 'serverRejected':
      return l10n.t({
        message: 'Notion refuses to renew the sign-in ({0}); tried again now and then',
        comment: ['State of an account. {0} is an error code such as invalid_scope.'],
        args: [codeName(grant.refusal?.code)],
      });
    case 'readOnly':
      return describeReadOnly(why);
    default:
      return problem === undefined ? describeSignedIn(grant) : describeRenewalProblem(problem);
  }
}

function describeSignedIn(grant: Grant): DisplayText {
  const deadline = signInDeadline(grant);
  if (deadline === undefined) {
    return l10n.t({ message: 'signed in, renews by itself', comment: ['State of an account.'] });
  }
  const { atMs, isWhenUnused } = deadline;
  if (grant.tokens.refreshToken === undefined) {
    return l10n.t({
      message: 'signed in until {0}; cannot be renewed',
      comment: ['State of an account. {0} is a date with a time.'],
      args: [formatTime(atMs)],
    });
  }
  return isWhenUnused
    ? l10n.t({
        message: 'signed in, renews by itself; if unused, ends on {0}',
        comment: ['State of an account. {0} is a day, such as May 12.'],
        args: [formatDay(atMs)],
      })
    : l10n.t({
        message: 'signed in, renews by itself; sign in again by {0}',
        comment: ['State of an account. {0} is a day, such as May 12.'],
        args: [formatDay(atMs)],
      });
}

function describeReadOnly(why: Account['why']): DisplayText {
  switch (why) {
    case 'newer':
      return l10n.t({
        message: 'stored by a newer version of this extension; update the extension to use it',
        comment: ['State of an account.'],
      });
    case 'unreadable':
      return l10n.t({
        message: 'cannot be read on this computer just now; sign in again to replace it',
        comment: ['State of an account.'],
      });
    default:
      return l10n.t({ message: 'reload this window to use it', comment: ['State of an account.'] });
  }
}

function describeRenewalProblem(problem: RenewalProblem): DisplayText {
  switch (problem) {
    case 'beingConfirmed':
      return l10n.t({
        message: 'Notion refused to renew the sign-in; will be tried once more in a minute or two',
        comment: ['State of an account.'],
      });
    case 'storage':
      return l10n.t({
        message: 'cannot be renewed on this computer just now; the sign-in is kept',
        comment: ['State of an account.'],
      });
    case 'certificate':
      return l10n.t({
        message: 'the certificate of the server is not trusted on this computer; the sign-in is kept',
        comment: ['State of an account.'],
      });
    case 'proxy':
      return l10n.t({
        message: 'the proxy blocked the renewal; the sign-in is kept',
        comment: ['State of an account.'],
      });
    case 'offline':
      return l10n.t({
        message: 'offline; the sign-in is kept and renews when the network is back',
        comment: ['State of an account.'],
      });
  }
}

function describeReason(reason: NeedsSignInReason | undefined): DisplayText {
  switch (reason) {
    case 'tooOld':
      return l10n.t('Notion ended it after 180 days');
    case 'idle':
      return l10n.t('Notion ended it after 30 days without use');
    case 'invalidClient':
      return l10n.t('Notion no longer knows this editor');
    case 'noRefreshToken':
      return l10n.t('it expired and cannot be renewed');
    default:
      return l10n.t({ message: 'Notion ended it', comment: ['“it” is the sign-in of an account.'] });
  }
}

function formatDay(atMs: number): DisplayText {
  return timeText(atMs, { day: 'numeric', month: 'long' });
}

function formatTime(atMs: number): DisplayText {
  return timeText(atMs, { day: 'numeric', month: 'long', hour: 'numeric', minute: '2-digit' });
}
