import type { Event } from 'vscode';
import type { Accounts } from './accounts/accounts.ts';
import { Secret } from './core/secret.ts';
import type { NotionAccountState, NotionMcpAuth } from './notionMcpAuth.d.ts';

export interface ApiParts {
  /** The accounts, once they are loaded. */
  accounts: () => Promise<Accounts>;
  onDidChange: Event<void>;
}

/** What `activate` returns to other extensions: frozen, and nothing in it is secret. */
export function createApi({ accounts, onDidChange }: ApiParts): NotionMcpAuth {
  return Object.freeze({
    version: 1 as const,
    getAccountStates: async () => Object.freeze((await accounts()).list().flatMap(stateOf)),
    // A function of its own: whoever adds to it adds to nobody else's.
    onDidChangeAccountStates: Object.freeze(((listener, thisArg, disposables) =>
      onDidChange(() => listener.call(thisArg), undefined, disposables)) satisfies Event<void>),
    renewRejected: async (accessToken: string) => renewRejected(await accounts(), new Secret(String(accessToken))),
  });
}

function stateOf({ grant, state }: ReturnType<Accounts['list']>[number]): NotionAccountState[] {
  return state === 'dormant' ? [] : [Object.freeze({ sessionId: grant.id, state })];
}

/** Knowing the token proves the right to say so. How it ended is not told: that would say whether a token is known. */
async function renewRejected(accounts: Accounts, accessToken: Secret): Promise<void> {
  const rejected = accounts.list().find(({ grant }) => grant.tokens.accessToken.equals(accessToken));
  if (rejected !== undefined) {
    await accounts.renew(rejected.grant.id, { reason: 'rejected', accessToken }).catch(() => undefined);
  }
}
