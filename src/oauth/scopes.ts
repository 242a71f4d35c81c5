/**
 * What to ask for when a token's scopes were not enough (A17): everything asked before and everything challenged, so
 * that the new token does not lose what the old one could do. Undefined when neither names any.
 */
export function stepUpScopes(
  earlier: readonly string[] | undefined,
  challenged: readonly string[] | undefined,
): string[] | undefined {
  const union = [...new Set([...(earlier ?? []), ...(challenged ?? [])])];
  return union.length > 0 ? union : undefined;
}

/**
 * `scopes` with `offline_access` when the server lists it, so that a refresh token is issued (A16). Nothing is added
 * where no scopes are asked for: the server's own choice would shrink to that one.
 */
export function withOfflineAccess(
  scopes: readonly string[] | undefined,
  scopesSupported: readonly string[] | undefined,
): string[] | undefined {
  const offline = scopesSupported?.includes('offline_access') ? ['offline_access'] : [];
  return scopes === undefined || scopes.length === 0 ? undefined : [...new Set([...scopes, ...offline])];
}

/** A space-separated `scope` value; undefined when it is no string or names none (`""` says nothing). */
export function parseScope(scope: unknown): string[] | undefined {
  if (typeof scope !== 'string') {
    return undefined;
  }
  const scopes = scope.split(/\s+/).filter((each) => each !== '');
  return scopes.length > 0 ? scopes : undefined;
}
