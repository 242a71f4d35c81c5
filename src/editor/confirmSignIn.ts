import { type DisplayText, displayText } from '../core/displayText.ts';
import type { ClientQuestion } from '../signIn/configuredClient.ts';
import { l10n } from './messages/l10n.ts';
import { hostName } from './messages/names.ts';
import { confirm } from './messages/show.ts';

const longestClientId = 200;
const longestIssuer = 300;
const longestList = 200;

/** Asks the user to confirm hosts other than Notion's before the browser opens. */
export async function confirmHosts(mcpHost: string, authorizationHost: string): Promise<boolean> {
  return confirm(
    l10n.t('Sign in at {0}?', hostName(authorizationHost)),
    mcpHost === authorizationHost
      ? l10n.t(
          'This is not Notion’s own server, and the tools would come from there too. Continue only if you chose this server.',
        )
      : l10n.t(
          'This is not Notion’s own server: the tools would come from {0}, and you would sign in at {1}. Continue only if you chose this server.',
          hostName(mcpHost),
          hostName(authorizationHost),
        ),
    l10n.t('Continue'),
    l10n.t('Do Not Sign In'),
  );
}

/** Asks the user whether to use the configured client where that may be wrong or ends another sign-in. */
export async function confirmClient(question: ClientQuestion): Promise<boolean> {
  const clientId = displayText(question.clientId, longestClientId);
  if (question.kind === 'otherIssuer') {
    const issuer = issuerName(question.issuer);
    return confirm(
      l10n.t('Use the client ID {0} at {1}?', clientId, issuer),
      l10n.t(
        'You have signed in with it at {0} before. A client ID belongs to the server that registered it. Continue only if this one is registered at {1}, too.',
        issuerName(question.knownIssuer),
        issuer,
      ),
      l10n.t('Continue'),
      l10n.t('Do Not Sign In'),
    );
  }
  return confirm(
    l10n.t('Sign in with the client ID {0} again?', clientId),
    l10n.t(
      'With this client ID, {0} is signed in. If the same user signs in again, even to another workspace, that sign-in ends.',
      displayText(question.labels.join(', '), longestList),
    ),
    l10n.t('Continue'),
    l10n.t('Do Not Sign In'),
  );
}

/** An issuer without its scheme, as text that is shown must not become a link. */
function issuerName(issuer: string): DisplayText {
  return displayText(issuer.replace(/^https?:\/\//, ''), longestIssuer);
}
