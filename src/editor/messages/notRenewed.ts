import type { Account } from '../../accounts/registry.ts';
import type { NotionErrorCode } from '../../client/problem.ts';
import type { DisplayText } from '../../core/displayText.ts';
import { Failure } from '../../oauth/errors.ts';
import { messageFor } from './failure.ts';
import { l10n } from './l10n.ts';

/**
 * Explains to another extension, which may show it to the user, why none of these accounts has a session although they
 * are still signed in. Its name is one of the codes of `notionClient.ts`. `errors` are those of their renewals.
 */
export function notRenewedError(accounts: readonly Account[], errors: readonly unknown[]): Error {
  const isRefused = accounts.every(({ state }) => state === 'serverRejected');
  // Of an error, the editor passes on the name and the message only.
  const name: NotionErrorCode = isRefused ? 'needsSignIn' : 'offline';
  return Object.assign(new Error(isRefused ? refusedSentence() : failedSentence(errors)), { name });
}

function refusedSentence(): DisplayText {
  return l10n.t('Notion refuses to renew the sign-in. It is kept: run “Notion MCP: Manage Accounts” to reconnect it.');
}

function failedSentence(errors: readonly unknown[]): DisplayText {
  const failure = errors.find((error) => error instanceof Failure && error.kind === 'transient');
  const message = failure instanceof Failure ? messageFor(failure) : undefined;
  return message === undefined
    ? l10n.t(
        'The sign-in to Notion could not be renewed just now. It is kept: check your network, and try again in a moment.',
      )
    : l10n.t({
        message: 'The sign-in to Notion could not be renewed just now. It is kept. {0}',
        comment: ['{0} is a sentence that says why, such as “mcp.notion.com cannot be reached. Check your network.”'],
        args: [message.sentence],
      });
}
