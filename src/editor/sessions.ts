import type { AuthenticationSession, AuthenticationSessionAccountInformation } from 'vscode';
import type { Account } from '../accounts/registry.ts';
import type { Grant } from '../grants/grant.ts';

/** The scope that consumers are told to ask for, and that every account answers to. */
export const defaultScope = 'default';

/** VS Code's view of a grant. An account that cannot be used here has no token to give. */
export function sessionOf(account: Account, scopes: readonly string[]): AuthenticationSession {
  const { grant } = account;
  return {
    id: grant.id,
    accessToken: isUsable(account) ? grant.tokens.accessToken.reveal() : '',
    account: { id: accountId(grant), label: grant.label },
    scopes,
  };
}

/** `<user id>:<workspace id>`, or the grant's id while Notion has not said whose it is. */
export function accountId({ id, identity }: Grant): string {
  return identity === undefined ? id : `${identity.userId}:${identity.workspaceId}`;
}

/** Whether the account may be shown at all: another server's accounts are kept but not offered. */
export function isListed({ state }: Account): boolean {
  return state !== 'dormant';
}

/** Whether the account can hand out a token now or after a renewal. */
export function isUsable({ state }: Account): boolean {
  return state === 'healthy' || state === 'expired';
}

/**
 * Notion's grants do not differ by scope: the one grant of an account answers to every scope that was granted, that
 * was asked at a sign-in of this account, or that is `default`. No scopes at all always match.
 */
export function matchesScopes({ tokens, askedScopes }: Grant, scopes: readonly string[]): boolean {
  const known = new Set([defaultScope, ...(tokens.scopes ?? []), ...askedScopes]);
  // The editor keys a request of no scopes as `['']`.
  return scopes.every((scope) => scope === '' || known.has(scope));
}

/** A request names an account by id and label, or, from older consumers, by label alone. */
export function matchesAccount(grant: Grant, wanted: AuthenticationSessionAccountInformation | undefined): boolean {
  return wanted === undefined || wanted.id === accountId(grant) || wanted.label === grant.label;
}

/**
 * The scope lists under which a new session is announced. An entry of the Accounts menu clears only for a session
 * with exactly the scopes of its request, so the session is announced once for each list that it answers to; the
 * editor keys a request of `[]` as `['']`.
 */
export function announcedScopes({ askedScopes }: Grant): string[][] {
  const lists = [[''], [defaultScope], askedScopes].filter((list) => list.length > 0);
  return [...new Map(lists.map((list) => [key(list), [...list]])).values()];
}

/** Whether a request of `scopes` was answered by the announcement of this grant. */
export function isAnnounced(grant: Grant, scopes: readonly string[]): boolean {
  return announcedScopes(grant).some((list) => key(list) === key(scopes));
}

/** The order of scopes does not count. */
function key(scopes: readonly string[]): string {
  return [...scopes].sort().join(' ');
}
