import type { AuthenticationSession, AuthenticationSessionAccountInformation } from 'vscode';
import type { Account } from '../accounts/registry.ts';
import type { Grant } from '../grants/grant.ts';

/** The scope that the README tells consumers to request; it matches every account. */
export const defaultScope = 'default';

/** Returns VS Code's view of a grant. The access token is empty if the account cannot be used in this window. */
export function sessionOf(account: Account, scopes: readonly string[]): AuthenticationSession {
  const { grant } = account;
  return {
    id: grant.id,
    accessToken: isUsable(account) ? grant.tokens.accessToken.reveal() : '',
    account: { id: accountId(grant), label: grant.label },
    scopes,
  };
}

/** The key of the account's identity, or the grant's id while that is unknown. */
export function accountId({ id, accountId: known }: Grant): string {
  return known ?? id;
}

/** Whether VS Code may see the account: accounts of another server are kept but hidden. */
export function isListed({ state }: Account): boolean {
  return state !== 'dormant';
}

/** Whether the account can provide a token, now or after a renewal. */
export function isUsable({ state }: Account): boolean {
  return state === 'healthy' || state === 'expired' || state === 'serverRejected';
}

/**
 * Notion's grants do not differ by scope: an account's one grant matches every scope that was granted, that was
 * requested at a sign-in of this account, or that is `default`. An empty list always matches.
 */
export function matchesScopes({ tokens, askedScopes }: Grant, scopes: readonly string[]): boolean {
  const known = new Set([defaultScope, ...(tokens.scopes ?? []), ...askedScopes]);
  // The editor represents a request without scopes as `['']`.
  return scopes.every((scope) => scope === '' || known.has(scope));
}

/**
 * Whether a request is for this account. The id decides: a label that two requests share proves nothing. Only a request
 * without an id, as older consumers make it, is matched by its label.
 */
export function matchesAccount(grant: Grant, wanted: AuthenticationSessionAccountInformation | undefined): boolean {
  if (wanted === undefined) {
    return true;
  }
  return wanted.id ? wanted.id === accountId(grant) : wanted.label === grant.label;
}

/**
 * Returns the scope lists with which a new session is announced. The editor removes a sign-in request from the Accounts
 * menu only for a session with exactly the requested scopes, so the session is announced once for each list that a
 * request may have had; the editor represents a request of `[]` as `['']`.
 */
export function announcedScopes({ askedScopes }: Grant): string[][] {
  const lists = [[''], [defaultScope], askedScopes].filter((list) => list.length > 0);
  return [...new Map(lists.map((list) => [key(list), [...list]])).values()];
}

/** Whether the announcement of this grant covered a request of `scopes`. */
export function isAnnounced(grant: Grant, scopes: readonly string[]): boolean {
  return announcedScopes(grant).some((list) => key(list) === key(scopes));
}

/** The order of scopes does not matter. */
function key(scopes: readonly string[]): string {
  return [...scopes].sort().join(' ');
}
