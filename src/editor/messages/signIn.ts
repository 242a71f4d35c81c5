import type { DisplayText } from '../../core/displayText.ts';
import type { Grant } from '../../grants/grant.ts';
import type { Failure } from '../../oauth/errors.ts';
import type { SignInStage } from '../../signIn/stage.ts';
import { refusalSentence } from './callback.ts';
import { l10n } from './l10n.ts';
import { accountName, hostName } from './names.ts';

/** Says who signed in. */
export function signedInSentence(grant: Grant): DisplayText {
  const name = accountName(grant);
  return grant.identity === undefined
    ? l10n.t('Signed in to Notion. The account is called “{0}” until Notion says whose it is.', name)
    : l10n.t('Signed in as {0}.', name);
}

/** The link that opens the consent page again. */
export function openAgainLabel(): DisplayText {
  return l10n.t({ message: 'Open it again', comment: ['Link: opens the page to allow access in the browser again.'] });
}

/** The link that tries the next channel. */
export function nextChannelLabel(): DisplayText {
  return l10n.t({
    message: 'Try another way',
    comment: ['Link: the browser’s response comes back through another channel.'],
  });
}

/** What a stage is about, besides its host. */
export interface StageDetails {
  /** The name of the account that is meant. */
  account: DisplayText | undefined;
  /** Why a callback was refused. */
  refusal: Failure | undefined;
}

/** Says what a sign-in does or waits for at this host. */
export function stageText(stage: SignInStage, host: string, { account, refusal }: StageDetails): DisplayText {
  const name = hostName(host);
  switch (stage) {
    case 'discovering':
      return l10n.t('Contacting {0}…', name);
    case 'waitingForBrowser':
      return account === undefined
        ? l10n.t('Allow access at {0} in your browser…', name)
        : l10n.t({
            message: 'Choose {0} and allow access at {1} in your browser…',
            comment: ['{0} is the name of an account, {1} that of a server.'],
            args: [account, name],
          });
    case 'browserNotOpened':
      return l10n.t(
        'The editor did not open the page at {0}. Open it again or, if you copied its address, paste that into your browser…',
        name,
      );
    case 'callbackRefused':
      return refusalSentence(refusal?.details.code, name);
    case 'finishing':
      return l10n.t('Finishing the sign-in…');
    case 'serverBusy':
      return l10n.t('{0} is busy; trying again…', name);
    case 'unreachable':
      return l10n.t('No connection to {0}; trying again…', name);
  }
}
