import type { Event } from 'vscode';
import type { Accounts } from './accounts/accounts.ts';
import { Secret } from './core/secret.ts';
import type { Grant } from './grants/grant.ts';
import type { NotionAccountState, NotionMcpAuth } from './notionMcpAuth.d.ts';

export interface ApiParts {
  /** The accounts, once they are loaded. */
  accounts: () => Promise<Accounts>;
  onDidChange: Event<void>;
  /** Whether the MCP server demands more scopes of the grant's token than it has; the next sign-in then requests them. */
  lacksScopes: (grant: Grant) => Promise<boolean>;
}

/** Creates what `activate` returns to other extensions. It is frozen and contains no secrets. */
export function createApi({ accounts, onDidChange, lacksScopes }: ApiParts): NotionMcpAuth {
  return Object.freeze({
    version: 1 as const,
    getAccountStates: async () => Object.freeze((await accounts()).list().flatMap(stateOf)),
    // Wrapped, so that freezing it does not freeze the emitter's own event function.
    onDidChangeAccountStates: Object.freeze(((listener, thisArg, disposables) =>
      onDidChange(() => listener.call(thisArg), undefined, disposables)) satisfies Event<void>),
    renewRejected: async (accessToken: string) =>
      renewRejected(await accounts(), new Secret(String(accessToken)), lacksScopes),
  });
}

function stateOf({ grant, state }: ReturnType<Accounts['list']>[number]): NotionAccountState[] {
  return state === 'dormant' ? [] : [Object.freeze({ sessionId: grant.id, state })];
}

/** Any caller that knows the token may report it. The result is hidden, as it would reveal whether a token is known. */
async function renewRejected(
  accounts: Accounts,
  accessToken: Secret,
  lacksScopes: ApiParts['lacksScopes'],
): Promise<void> {
  const rejected = accounts.list().find(({ grant }) => grant.tokens.accessToken.equals(accessToken));
  // New tokens would have the same scopes.
  if (rejected !== undefined && !(await lacksScopes(rejected.grant))) {
    await accounts.renew(rejected.grant.id, { reason: 'rejected', accessToken }).catch(() => undefined);
  }
}
