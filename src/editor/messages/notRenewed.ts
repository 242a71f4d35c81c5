import type { Account } from '../../accounts/registry.ts';
import type { DisplayText } from '../../core/displayText.ts';
import { Failure } from '../../oauth/errors.ts';
import { messageFor } from './failure.ts';
import { l10n } from './l10n.ts';

/**
 * Explains to another extension, which may show it to the user, why none of these accounts has a session although they
 * are still signed in. `errors` are those of their renewals.
 */
export function notRenewedSentence(accounts: readonly Account[], errors: readonly unknown[]): DisplayText {
  if (accounts.every(({ state }) => state === 'serverRejected')) {
    return l10n.t(
      'Notion refuses to renew the sign-in. It is kept: run “Notion MCP: Manage Accounts” to reconnect it.',
    );
  }
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
