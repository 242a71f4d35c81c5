/**
 * The scopes to request when a token's scopes were insufficient (A17): the union of the earlier and the challenged
 * scopes, so that the new token keeps the old one's permissions. Undefined if there are none.
 */
export function stepUpScopes(
  earlier: readonly string[] | undefined,
  challenged: readonly string[] | undefined,
): string[] | undefined {
  const union = [...new Set([...(earlier ?? []), ...(challenged ?? [])])];
  return union.length > 0 ? union : undefined;
}

/** Whether a grant with `scopes` allows all that one with `earlier` does. Scopes that are not known count as enough. */
export function includesScopes(scopes: readonly string[] | undefined, earlier: readonly string[] | undefined): boolean {
  return scopes === undefined || earlier === undefined || earlier.every((scope) => scopes.includes(scope));
}

/**
 * Adds `offline_access` to `scopes` if the server lists it, so that a refresh token is issued (A16). Nothing is added
 * if no scopes are requested: `offline_access` alone would replace the server's default scopes.
 */
export function withOfflineAccess(
  scopes: readonly string[] | undefined,
  scopesSupported: readonly string[] | undefined,
): string[] | undefined {
  const offline = scopesSupported?.includes('offline_access') ? ['offline_access'] : [];
  return scopes === undefined || scopes.length === 0 ? undefined : [...new Set([...scopes, ...offline])];
}

/** Parses the space-separated `scope` of a token response or a challenge; undefined if it names no scope, as `""`. */
export function parseScope(scope: unknown): string[] | undefined {
  return typeof scope === 'string' ? validScopes(scope.split(/\s+/)) : undefined;
}

/** Reads the `scopes_supported` of metadata; undefined if it names no scope. */
export function readScopes(scopes: unknown): string[] | undefined {
  return Array.isArray(scopes) ? validScopes(scopes) : undefined;
}

const maxScopes = 64;
const longestScope = 128;
/** `scope-token` of RFC 6749 section 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Drops what is no scope by RFC 6749, is too long, is repeated or is one too many. */
function validScopes(candidates: readonly unknown[]): string[] | undefined {
  const isScope = (candidate: unknown): candidate is string =>
    typeof candidate === 'string' && candidate.length <= longestScope && scopeToken.test(candidate);
  const scopes = [...new Set(candidates.filter(isScope))].slice(0, maxScopes);
  return scopes.length > 0 ? scopes : undefined;
}
