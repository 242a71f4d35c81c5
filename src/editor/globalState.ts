import { env, type Memento, UIKind } from 'vscode';
import type { NumberedAccounts } from '../core/accountNumbers.ts';
import type { SignInAttempt, StoredAttempts } from '../diagnostics/signInHistory.ts';
import type { ClientIssuers } from '../signIn/configuredClient.ts';
import type { Usage } from '../storage/usage.ts';

// The editor's global state is shared by all windows and lies on the disk in clear: it must not contain secrets or names.
// A window writes it as a whole, so a value that another window wrote in the same second is lost: only for what may be.

/** In a browser no keyring asks, and a tab that knows the journal's key early need not be reloaded after a sign-in. */
export function usageIn(memory: Memento): Usage {
  return {
    get: () => env.uiKind === UIKind.Web || memory.get<boolean>('hasAccounts', false),
    set: (hasAccounts) => void memory.update('hasAccounts', hasAccounts),
  };
}

/** Remembers which authorization server each configured client id belongs to. */
export function clientIssuersIn(memory: Memento): ClientIssuers {
  const all = () => memory.get<Record<string, string>>('clientIssuers', {});
  return {
    get: (clientId) => new Map(Object.entries(all())).get(clientId),
    set: (clientId, issuer) => void memory.update('clientIssuers', { ...all(), [clientId]: issuer }),
  };
}

export function numberedAccountsIn(memory: Memento): NumberedAccounts {
  return {
    get: () => memory.get<string[]>('numberedAccounts', []),
    set: (ids) => void memory.update('numberedAccounts', ids),
  };
}

export function signInAttemptsIn(memory: Memento): StoredAttempts {
  return {
    get: () => memory.get<SignInAttempt[]>('signInAttempts', []),
    set: (attempts) => void memory.update('signInAttempts', attempts),
  };
}
