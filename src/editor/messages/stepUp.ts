import type { Grant } from '../../grants/grant.ts';
import type { Message } from './actions.ts';
import { l10n } from './l10n.ts';
import { accountName, scopeNames } from './names.ts';

/** For an account that lacks scopes, which its next sign-in requests. */
export function stepUpMessage(grant: Grant, scopes: readonly string[]): Message {
  const name = accountName(grant);
  const sentence =
    scopes.length === 0
      ? l10n.t('A tool needs more access than {0} has. Sign in again to allow it.', name)
      : l10n.t('A tool needs more access ({0}) than {1} has. Sign in again to allow it.', scopeNames(scopes), name);
  return { sentence, actions: ['reconnect', 'showLog'] };
}

/** For an account that lacks scopes although its sign-ins requested them. */
export function stepUpInVainMessage(grant: Grant, scopes: readonly string[]): Message {
  const name = accountName(grant);
  const sentence =
    scopes.length === 0
      ? l10n.t('A tool needs more access than {0} gets, also after signing in again. Use another account for it.', name)
      : l10n.t(
          'A tool needs more access ({0}) than {1} gets, also after signing in again. Use another account for it.',
          scopeNames(scopes),
          name,
        );
  return { sentence, actions: ['manageAccounts', 'showLog'] };
}

/** For a connection test of an account that lacks scopes. */
export function lackingScopesMessage(scopes: readonly string[] = []): Message {
  const sentence =
    scopes.length === 0
      ? l10n.t('The server asks for more access than was allowed. Reconnect the account to allow it.')
      : l10n.t(
          'The server asks for more access ({0}) than was allowed. Reconnect the account to allow it.',
          scopeNames(scopes),
        );
  return { sentence, actions: ['reconnect'] };
}

/** For a sign-in whose grant would have taken scopes from the account. */
export function fewerScopesMessage(): Message {
  return {
    sentence: l10n.t(
      'This account has more access than the new sign-in would give it, so nothing changed. Reconnect it, or sign out first.',
    ),
    actions: ['manageAccounts'],
  };
}
